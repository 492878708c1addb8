"""A head that searches the best answers in a text by their beginnings (XLNet, XLM, FlauBERT).

The end of an answer is scored given where it begins, so that the best beginnings are followed by the best
ends of each; another score says that the text holds no answer.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.modeling.outputs import ModelOutput

_HIDDEN = -1e30
_HIDDEN_HALF = -65500.0


def _hide(scores: Tensor, p_mask: Tensor | None) -> Tensor:
    """Scores with those of masked tokens at the lowest; p_mask is 1 for tokens that are no answer."""
    if p_mask is None:
        return scores
    lowest = _HIDDEN_HALF if scores.dtype == torch.float16 else _HIDDEN
    return scores * (1 - p_mask) + lowest * p_mask


def _at(hidden: Tensor, index: Tensor) -> Tensor:
    """States (batch, n, size) at positions (batch, n)."""
    return hidden.gather(1, index[..., None].expand(-1, -1, hidden.shape[-1]))


class StartScores(nn.Module):
    """A score for each token: the answer begins here."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.dense = nn.Linear(size, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.dense(hidden).squeeze(-1)


class EndScores(nn.Module):
    """A score for each token given the state of the answer's first: the answer ends here."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(2 * size, size)
        self.LayerNorm = nn.LayerNorm(size, eps=eps)
        self.dense_1 = nn.Linear(size, 1)

    def forward(self, hidden: Tensor, start: Tensor) -> Tensor:
        """(..., size) each, broadcast to one another, to (...)."""
        both = torch.cat(torch.broadcast_tensors(hidden, start), dim=-1)
        return self.dense_1(self.LayerNorm(self.dense_0(both).tanh())).squeeze(-1)


class AnswerScore(nn.Module):
    """A score for the text given the state of the answer's first token: there is no answer."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.dense_0 = nn.Linear(2 * size, size)
        self.dense_1 = nn.Linear(size, 1, bias=False)

    def forward(self, start: Tensor, summary: Tensor) -> Tensor:
        """(batch, size) each to (batch,)."""
        return self.dense_1(self.dense_0(torch.cat((start, summary), dim=-1)).tanh()).squeeze(-1)


class BeamSpanHead(nn.Module):
    """Losses where positions are given, else the best beginnings and the best ends of each."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        self.start_n_top, self.end_n_top = config.start_n_top, config.end_n_top
        self.start_logits = StartScores(config.hidden_size)
        self.end_logits = EndScores(config.hidden_size, config.layer_norm_eps)
        self.answer_class = AnswerScore(config.hidden_size)

    def forward(
        self,
        hidden: Tensor,
        *,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        cls_index: Tensor | None = None,
        is_impossible: Tensor | None = None,
        p_mask: Tensor | None = None,
    ) -> dict[str, Any]:
        """States (batch, sequence, size) to the fields of an output.

        Args:
            start_positions, end_positions: (batch,) the answer's first and last token.
            cls_index: (batch,) the token that knows the whole text; by default the last.
            is_impossible: (batch,) 1 where there is no answer. p_mask: (batch, sequence), 1 for tokens that
                cannot be part of one.
        """
        summary = hidden[:, -1] if cls_index is None else _at(hidden, cls_index.view(-1, 1)).squeeze(1)
        starts = _hide(self.start_logits(hidden), p_mask)
        if start_positions is not None and end_positions is not None:
            start_positions, end_positions = start_positions.view(-1), end_positions.view(-1)
            start = _at(hidden, start_positions[:, None])
            ends = _hide(self.end_logits(hidden, start), p_mask)
            loss = (F.cross_entropy(starts, start_positions) + F.cross_entropy(ends, end_positions)) / 2
            if cls_index is not None and is_impossible is not None:
                score = self.answer_class(start.squeeze(1), summary)
                target = is_impossible.view(-1).to(score.dtype)
                loss = loss + F.binary_cross_entropy_with_logits(score, target) * 0.5
            return {"loss": loss}
        likely = starts.softmax(-1)
        start_top, start_index = likely.topk(self.start_n_top)
        beginnings = _at(hidden, start_index)
        ends = self.end_logits(hidden[:, :, None], beginnings[:, None])  # (batch, sequence, beginnings)
        ends = _hide(ends, None if p_mask is None else p_mask[..., None])
        end_top, end_index = ends.softmax(1).topk(self.end_n_top, dim=1)
        expected = torch.einsum("bsh,bs->bh", hidden, likely)
        return {
            "start_top_log_probs": start_top,
            "start_top_index": start_index,
            "end_top_log_probs": end_top.flatten(1),
            "end_top_index": end_index.flatten(1),
            "cls_logits": self.answer_class(expected, summary),
        }


class ForBeamSpans(Headed):
    """A search for the best answers, see `BeamSpanHead` for the inputs."""

    output_class: ClassVar[type[ModelOutput]]

    def build_head(self, config: PretrainedConfig) -> None:
        self.qa_outputs = BeamSpanHead(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        is_impossible: Tensor | None = None,
        cls_index: Tensor | None = None,
        p_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        outputs = self.model(input_ids, **inputs)
        found = self.qa_outputs(
            outputs.last_hidden_state,
            start_positions=start_positions,
            end_positions=end_positions,
            cls_index=cls_index,
            is_impossible=is_impossible,
            p_mask=p_mask,
        )
        return self.output_class.carry(outputs, **found)
