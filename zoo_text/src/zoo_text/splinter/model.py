"""Splinter: BERT with a head that finds answers for marked places in the text."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import span_loss
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput, QuestionAnsweringModelOutput
from zoo_core.nn.activation import activation
from zoo_text.bert import model as bert
from zoo_text.splinter.config import SplinterConfig


class SplinterForPreTrainingOutput(QuestionAnsweringModelOutput):
    """Scores (batch, questions, sequence) of each answer's first and last token."""


class SplinterPreTrainedModel(bert.BertPreTrainedModel):
    """What all Splinter classes share."""

    config_class = SplinterConfig
    base_model_prefix = "splinter"


class SplinterModel(SplinterPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    def __init__(self, config: SplinterConfig) -> None:
        super().__init__(config, add_pooling_layer=False)

    def forward(  # type: ignore[override]
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        return BaseModelOutput.carry(super().forward(input_ids, attention_mask, **inputs))


class Transform(nn.Module):
    """Dense layer, activation and norm."""

    def __init__(self, size: int, act: str) -> None:
        super().__init__()
        self.dense = nn.Linear(size, size)
        self.act = activation(act)
        self.LayerNorm = nn.LayerNorm(size)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.LayerNorm(self.act(self.dense(hidden)))


class QuestionAwareSpans(nn.Module):
    """Scores every token as the first and as the last of the answer to each question (section 3.2)."""

    def __init__(self, size: int, act: str) -> None:
        super().__init__()
        for part in ("query_start", "query_end", "start", "end"):
            self.add_module(f"{part}_transform", Transform(size, act))
        self.start_classifier = nn.Linear(size, size, bias=False)
        self.end_classifier = nn.Linear(size, size, bias=False)

    def forward(self, hidden: Tensor, questions: Tensor) -> tuple[Tensor, Tensor]:
        """States (batch, sequence, size) and positions (batch, questions) to (batch, questions, sequence)."""
        asking = hidden.gather(1, questions[..., None].expand(-1, -1, hidden.shape[-1]))
        start = self.start_classifier(self.query_start_transform(asking))
        end = self.end_classifier(self.query_end_transform(asking))
        starts, ends = self.start_transform(hidden), self.end_transform(hidden)
        return start @ starts.transpose(1, 2), end @ ends.transpose(1, 2)


class SplinterHead(Headed, SplinterPreTrainedModel):
    """What both heads share."""

    base_class = SplinterModel

    def build_head(self, config: SplinterConfig) -> None:
        self.splinter_qass = QuestionAwareSpans(config.hidden_size, config.hidden_act)

    def spans(
        self, hidden: Tensor, questions: Tensor, attention_mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Both scores, lowest for padding."""
        start, end = self.splinter_qass(hidden, questions)
        if attention_mask is None:
            return start, end
        hidden_by, lowest = attention_mask[:, None] == 0, torch.finfo(start.dtype).min
        return start.masked_fill(hidden_by, lowest), end.masked_fill(hidden_by, lowest)


class SplinterForQuestionAnswering(SplinterHead):
    """Splinter with scores of an answer's ends, by default for the first question mark of each row."""

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        question_positions: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Scores (batch, sequence), or with question_positions (batch, questions) one for each question."""
        outputs = self.model(input_ids, attention_mask, **inputs)
        hidden = outputs.last_hidden_state
        asked = question_positions
        if asked is None and input_ids is not None:
            asked = (input_ids == self.config.question_token_id).int().argmax(-1, keepdim=True)
        elif asked is None:
            asked = torch.zeros(len(hidden), 1, dtype=torch.long, device=hidden.device)
        start, end = self.spans(hidden, asked, attention_mask)
        if question_positions is None:
            start, end = start.squeeze(1), end.squeeze(1)
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = span_loss(start, end, start_positions, end_positions)
        return QuestionAnsweringModelOutput.carry(outputs, loss=loss, start_logits=start, end_logits=end)


class SplinterForPreTraining(SplinterHead):
    """Splinter with scores of the answers to all questions in a text."""

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        question_positions: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Scores (batch, questions, sequence).

        Args:
            start_positions, end_positions: (batch, questions); pad_token_id there does not count.
            question_positions: (batch, questions), by default those of the question marks.
        """
        if question_positions is None:
            if start_positions is not None and end_positions is not None:
                raise TypeError("a loss needs question_positions: which question is which")
            if input_ids is None:
                raise TypeError(
                    "pass question_positions with inputs_embeds: there is no question mark to find"
                )
            question_positions = self.questions(input_ids)
        outputs = self.model(input_ids, attention_mask, **inputs)
        start, end = self.spans(outputs.last_hidden_state, question_positions, attention_mask)
        loss = None
        if start_positions is not None and end_positions is not None:
            last, pad = start.shape[-1] - 1, self.config.pad_token_id
            losses = [
                F.cross_entropy(scores.flatten(0, 1), at.clamp(0, last).flatten(), ignore_index=pad)
                for scores, at in ((start, start_positions), (end, end_positions))
            ]
            loss = sum(losses) / 2
        return SplinterForPreTrainingOutput.carry(outputs, loss=loss, start_logits=start, end_logits=end)

    def questions(self, input_ids: Tensor) -> Tensor:
        """(batch, most questions of a row) positions of the question marks, then pad_token_id."""
        rows, at = (input_ids == self.config.question_token_id).nonzero(as_tuple=True)
        counts = rows.bincount(minlength=len(input_ids))
        found = input_ids.new_full((len(input_ids), int(counts.max())), self.config.pad_token_id or 0)
        before = counts.cumsum(0) - counts
        found[rows, torch.arange(len(rows), device=rows.device) - before[rows]] = at
        return found
