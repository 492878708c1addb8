"""Nyströmformer: a BERT whose attention goes through landmarks, at a cost linear in the length."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LM_HEAD
from zoo_core.heads.first_token import FirstTokenClassifier, ForFirstTokenClassification
from zoo_core.heads.language import ForMaskedLM
from zoo_core.heads.pooled import ForMultipleChoice
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.recording import ATTENTIONS, record
from zoo_core.nn.rotary import RotaryTables
from zoo_text.bert.model import LM_TIE, BertLayer, BertModel
from zoo_text.nystromformer.config import NystromformerConfig


class NystromformerPreTrainedModel(PreTrainedModel):
    """What all Nyströmformer classes share."""

    config_class = NystromformerConfig
    base_model_prefix = "nystromformer"
    ignored_names = ("*position_ids", "*token_type_ids")


class NystromAttention(Attention):
    """softmax(Q L') softmax(L L')^-1 softmax(L Q') V, with the means L of runs of tokens as landmarks."""

    def __init__(self, config: NystromformerConfig) -> None:
        super().__init__(
            config.hidden_size, config.num_attention_heads, dropout=config.attention_probs_dropout_prob
        )
        self.landmarks, self.length = config.num_landmarks, config.segment_means_seq_len
        self.conv = None
        kernel = config.conv_kernel_size
        if kernel is not None:
            heads = config.num_attention_heads
            self.conv = nn.Conv2d(
                heads, heads, (kernel, 1), padding=(kernel // 2, 0), bias=False, groups=heads
            )

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        rotary: RotaryTables | None = None,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> Tensor:
        query, key, value, mask = self.inputs(hidden, context, rotary)
        if self.landmarks == self.length:
            attended = self.attend(query, key, value, mask, head_mask=head_mask)
        else:
            attended = self.approximate(query, key, value, mask)
        if self.conv is not None:
            attended = attended + self.conv(value)
        return self.merge(attended)

    def approximate(self, query: Tensor, key: Tensor, value: Tensor, mask: Mask) -> Tensor:
        """Attended values (batch, heads, length, width); padding is hidden from the landmarks alone."""
        if query.shape[2] != self.length:
            raise ValueError(
                f"the sequence has {query.shape[2]} tokens and segment_means_seq_len is {self.length}: with "
                f"{self.landmarks} landmarks it must have exactly as many (padding='max_length', "
                f"max_length={self.length})"
            )
        query, key = query * self.scale**0.5, key * self.scale**0.5
        means = [x.unflatten(2, (self.landmarks, -1)).mean(3) for x in (query, key)]
        onto = (query @ means[1].transpose(2, 3)).softmax(-1)
        among = (means[0] @ means[1].transpose(2, 3)).softmax(-1)
        scores = means[0] @ key.transpose(2, 3)
        if mask.bias is not None:
            scores = scores + mask.bias
        if mask.allowed is not None:
            scores = scores.masked_fill(~mask.allowed, torch.finfo(scores.dtype).min)
        weights = onto @ pseudo_inverse(among)
        record(ATTENTIONS, weights)
        return F.dropout(weights, self.dropout, self.training) @ (scores.softmax(-1) @ value)


def pseudo_inverse(matrix: Tensor, steps: int = 6) -> Tensor:
    """An approximate inverse of (..., n, n) by iteration (section 3 of the paper)."""
    one = torch.eye(matrix.shape[-1], device=matrix.device, dtype=matrix.dtype)
    inverse = matrix.transpose(-1, -2) / (matrix.sum(-2).max() * matrix.sum(-1).max())
    for _ in range(steps):
        product = matrix @ inverse
        inverse = 0.25 * inverse @ (13 * one - product @ (15 * one - product @ (7 * one - product)))
    return inverse


class NystromformerLayer(BertLayer):
    """A layer of BERT with this attention."""

    def __init__(self, config: NystromformerConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)  # type: ignore[arg-type]
        self.self_attn = NystromAttention(config)


class LaterPositions(TextEmbeddings):
    """BERT's embeddings with positions that begin at 2, where none are given."""

    def __init__(self, *args: Any, max_positions: int, **options: Any) -> None:
        super().__init__(*args, max_positions=max_positions + 2, **options)

    def default_positions(self, input_ids: Tensor | None, hidden: Tensor, past: int) -> Tensor:
        return super().default_positions(input_ids, hidden, past) + 2


class NystromformerModel(NystromformerPreTrainedModel, BertModel):
    """The encoder without a head."""

    embeddings_class = LaterPositions
    layer_class = NystromformerLayer

    def __init__(self, config: NystromformerConfig) -> None:
        super().__init__(config, add_pooling_layer=False)


class NystromformerForMaskedLM(NystromformerPreTrainedModel, ForMaskedLM):
    """Nyströmformer with a masked language modeling head."""

    base_class = NystromformerModel
    head_names = BERT_LM_HEAD
    tied_weights = LM_TIE


class NystromformerForSequenceClassification(ForFirstTokenClassification, NystromformerPreTrainedModel):
    """Nyströmformer with a classifier on the first token."""

    base_class = NystromformerModel
    base_options = {}

    def build_head(self, config: NystromformerConfig) -> None:
        self.classifier = FirstTokenClassifier(config, config.hidden_act)


class NystromformerForMultipleChoice(ForMultipleChoice, NystromformerPreTrainedModel):
    """Nyströmformer with one score for each choice, by a dense layer on the first token."""

    base_class = NystromformerModel

    def build_head(self, config: NystromformerConfig) -> None:
        super().build_head(config)
        self.dropout = nn.Dropout(0.0)  # this family drops nothing here
        self.pre_classifier = nn.Linear(config.hidden_size, config.hidden_size)

    def pooled(self, outputs: ModelOutput) -> Tensor:
        return self.pre_classifier(outputs.last_hidden_state[:, 0]).relu()


class NystromformerForTokenClassification(ForTokenClassification, NystromformerPreTrainedModel):
    """Nyströmformer with a classifier on each token."""

    base_class = NystromformerModel


class NystromformerForQuestionAnswering(ForQuestionAnswering, NystromformerPreTrainedModel):
    """Nyströmformer with scores of an answer's first and last token."""

    base_class = NystromformerModel
