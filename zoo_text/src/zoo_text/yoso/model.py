"""YOSO: a BERT whose attention counts how often the hashes of a query and a key would be the same."""

from __future__ import annotations

import math
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, record
from zoo_core.nn.rotary import RotaryTables
from zoo_text.bert.model import BertLayer
from zoo_text.nystromformer import model as nystromformer
from zoo_text.yoso.config import YosoConfig


class YosoPreTrainedModel(PreTrainedModel):
    """What all YOSO classes share."""

    config_class = YosoConfig
    base_model_prefix = "yoso"
    ignored_names = ("*position_ids", "*token_type_ids")


class HashedAttention(Attention):
    """Weights (1 - angle(q, k) / pi) ** hash_code_len, and values summed to unit length.

    As in the reference, padding is hidden from the convolution alone, and what is recorded as attentions is
    the outcome (batch, sequence, hidden).
    """

    def __init__(self, config: YosoConfig) -> None:
        super().__init__(config.hidden_size, config.num_attention_heads)
        self.code_length = config.hash_code_len
        self.conv = None
        window, heads = config.conv_window, config.num_attention_heads
        if window is not None:
            self.conv = nn.Conv2d(
                heads, heads, (window, 1), padding=(window // 2, 0), bias=False, groups=heads
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
        query, key, value = self.heads(hidden, rotary)
        cosine = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(2, 3)
        weights = (1 - cosine.clamp(-1, 1).arccos() / math.pi) ** self.code_length
        attended = F.normalize(weights @ value, dim=-1)
        if self.conv is not None:
            if context.padding is not None:
                value = value * context.padding.reshape(len(hidden), 1, -1, 1)
            attended = attended + self.conv(value)
        record(ATTENTIONS, attended.transpose(1, 2).flatten(2))
        return self.merge(attended)


class YosoLayer(BertLayer):
    """A layer of BERT with this attention."""

    def __init__(self, config: YosoConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)  # type: ignore[arg-type]
        self.self_attn = HashedAttention(config)


class YosoModel(YosoPreTrainedModel, nystromformer.NystromformerModel):
    """The encoder without a head."""

    layer_class = YosoLayer


class YosoForMaskedLM(YosoPreTrainedModel, nystromformer.NystromformerForMaskedLM):
    """YOSO with a masked language modeling head."""

    base_class = YosoModel


class YosoForSequenceClassification(
    YosoPreTrainedModel, nystromformer.NystromformerForSequenceClassification
):
    """YOSO with a classifier on the first token."""

    base_class = YosoModel


class YosoForMultipleChoice(YosoPreTrainedModel, nystromformer.NystromformerForMultipleChoice):
    """YOSO with one score for each choice."""

    base_class = YosoModel


class YosoForTokenClassification(YosoPreTrainedModel, nystromformer.NystromformerForTokenClassification):
    """YOSO with a classifier on each token; labels of padding do not count."""

    base_class = YosoModel

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        if labels is not None and attention_mask is not None:
            labels = labels.masked_fill(attention_mask == 0, -100)
        return super().forward(input_ids, attention_mask=attention_mask, labels=labels, **inputs)


class YosoForQuestionAnswering(YosoPreTrainedModel, nystromformer.NystromformerForQuestionAnswering):
    """YOSO with scores of an answer's first and last token."""

    base_class = YosoModel
