"""QDQBERT: a BERT that rounds the inputs of all products and sums of its layers to 8 bits."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LAYER
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.attention_functions import attended_values, attention_weights
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.layer import has_source
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext, Mask
from zoo_core.nn.recording import ATTENTIONS
from zoo_text.bert import model as bert
from zoo_text.qdqbert.config import QDQBertConfig
from zoo_text.qdqbert.quantizer import QuantLinear, TensorQuantizer


class QDQBertPreTrainedModel(PreTrainedModel):
    """What all QDQBERT classes share."""

    config_class = QDQBertConfig
    base_model_prefix = "bert"
    ignored_names = ("*position_ids", "*quantizer._amax")
    aliases = {"cls.predictions.decoder.bias": "cls.predictions.bias"}

    def calibrate(self, on: bool = True) -> None:
        """From now on observe the ranges of all numbers instead of rounding them; `False` ends it."""
        for quantizer in self._quantizers():
            quantizer.calibrating = on

    def save_pretrained(self, save_directory: str | os.PathLike[str], **kwargs: Any) -> None:
        """As the base's, without the ranges that no calibration has set."""
        unset = [quantizer for quantizer in self._quantizers() if not quantizer.calibrated]
        for quantizer in unset:
            quantizer._non_persistent_buffers_set.add("amax")
        try:
            super().save_pretrained(save_directory, **kwargs)
        finally:
            for quantizer in unset:
                quantizer._non_persistent_buffers_set.discard("amax")

    def _quantizers(self) -> list[TensorQuantizer]:
        return [module for module in self.modules() if isinstance(module, TensorQuantizer)]


class QuantAttention(Attention):
    """Attention whose queries, keys, values and weights are rounded."""

    hub_names = {f"{name}_quantizer": f"matmul_{name}_input_quantizer" for name in "qkva"}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.o_proj = QuantLinear(self.o_proj.in_features, self.o_proj.out_features)
        self.q_quantizer, self.k_quantizer = TensorQuantizer(), TensorQuantizer()
        self.v_quantizer, self.a_quantizer = TensorQuantizer(), TensorQuantizer()

    def make_projections(self, hidden_size: int, kv_size: int, bias: bool, key_bias: bool) -> None:
        width = self.num_heads * self.head_dim
        self.q_proj = QuantLinear(hidden_size, width)
        self.k_proj, self.v_proj = QuantLinear(kv_size, width), QuantLinear(kv_size, width)

    def weigh(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Mask,
        *,
        name: str = ATTENTIONS,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        scoring = self.scoring(bias, head_mask)
        weights, allowed = attention_weights(self.q_quantizer(query), self.k_quantizer(key), mask, scoring)
        return attended_values(self.a_quantizer(weights), self.v_quantizer(value), allowed), weights


class QuantMLP(nn.Module):
    """A feed-forward block of rounded products."""

    def __init__(self, config: QDQBertConfig) -> None:
        super().__init__()
        self.fc1 = QuantLinear(config.hidden_size, config.intermediate_size)
        self.fc2 = QuantLinear(config.intermediate_size, config.hidden_size)
        self.act = activation(config.hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class QuantSum(nn.Module):
    """norm(round(dropout(change)) + round(hidden))."""

    hub_names = {
        "change_quantizer": "add_local_input_quantizer",
        "hidden_quantizer": "add_residual_input_quantizer",
        "layer_norm": "LayerNorm",
    }

    def __init__(self, config: QDQBertConfig) -> None:
        super().__init__()
        self.change_quantizer, self.hidden_quantizer = TensorQuantizer(), TensorQuantizer()
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = Dropout(config.hidden_dropout_prob)

    def forward(self, change: Tensor, hidden: Tensor) -> Tensor:
        return self.layer_norm(self.change_quantizer(self.dropout(change)) + self.hidden_quantizer(hidden))


class QDQBertLayer(nn.Module):
    """Self-attention, cross-attention in a decoder that has it, and a feed-forward block."""

    hub_names = {
        **BERT_LAYER,
        "self_attn_sum": "attention.output",
        "cross_attn_sum": "crossattention.output",
        "mlp_sum": "output",
    }

    def __init__(self, config: QDQBertConfig, layer_idx: int) -> None:
        super().__init__()
        attention = partial(
            QuantAttention,
            config.hidden_size,
            config.num_attention_heads,
            dropout=config.attention_probs_dropout_prob,
            layer_idx=layer_idx,
        )
        crosses = config.add_cross_attention
        self.self_attn = attention(rule=CAUSAL if config.is_decoder else FULL)
        self.self_attn_sum = QuantSum(config)
        self.cross_attn = attention(cross=True) if crosses else None
        self.cross_attn_sum = QuantSum(config) if crosses else None
        self.mlp, self.mlp_sum = QuantMLP(config), QuantSum(config)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = self.self_attn_sum(self.self_attn(hidden, context, **attention), hidden)
        if self.cross_attn is not None and self.cross_attn_sum is not None and has_source(context):
            hidden = self.cross_attn_sum(self.cross_attn(hidden, context), hidden)
        return self.mlp_sum(self.mlp(hidden), hidden)


class QDQBertModel(QDQBertPreTrainedModel, bert.BertModel):
    """The encoder, or with `is_decoder` the decoder, without a head."""

    layer_class = QDQBertLayer


class QDQBertForMaskedLM(QDQBertPreTrainedModel, bert.BertForMaskedLM):
    """QDQBERT with a masked language modeling head."""

    base_class = QDQBertModel


class QDQBertLMHeadModel(QDQBertPreTrainedModel, bert.BertLMHeadModel):
    """QDQBERT as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = QDQBertModel


class QDQBertForNextSentencePrediction(QDQBertPreTrainedModel, bert.BertForNextSentencePrediction):
    """QDQBERT with a next-sentence head."""

    base_class = QDQBertModel


class QDQBertForSequenceClassification(QDQBertPreTrainedModel, bert.BertForSequenceClassification):
    """QDQBERT with a classifier on the pooled output."""

    base_class = QDQBertModel


class QDQBertForMultipleChoice(QDQBertPreTrainedModel, bert.BertForMultipleChoice):
    """QDQBERT with one score for each choice."""

    base_class = QDQBertModel


class QDQBertForTokenClassification(QDQBertPreTrainedModel, bert.BertForTokenClassification):
    """QDQBERT with a classifier on each token."""

    base_class = QDQBertModel


class QDQBertForQuestionAnswering(QDQBertPreTrainedModel, bert.BertForQuestionAnswering):
    """QDQBERT with scores of an answer's first and last token."""

    base_class = QDQBertModel
