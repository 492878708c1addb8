"""DeBERTa: the first version, with fused projections and without buckets of distances."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LAYER
from zoo_core.checkpoint.ops import Fused
from zoo_core.nn.disentangled import DisentangledAttention
from zoo_text.deberta.config import DebertaConfig
from zoo_text.deberta_v2 import model as v2


class DebertaPreTrainedModel(v2.DebertaV2PreTrainedModel):
    """What all DeBERTa classes share."""

    config_class = DebertaConfig


class DebertaAttention(DisentangledAttention):
    """Keys have no bias, and positions projections of their own."""

    def terms(self, config: Any) -> int:
        return len(config.pos_att_type or ())  # unknown kinds count too

    def make_projections(self, hidden_size: int, kv_size: int, bias: bool, key_bias: bool) -> None:
        super().make_projections(hidden_size, kv_size, bias, False)

    def make_position_projections(self, config: Any) -> None:
        size = config.hidden_size
        if "c2p" in self.kinds:
            self.pos_proj = nn.Linear(size, size, bias=False)
        if "p2c" in self.kinds:
            self.pos_q_proj = nn.Linear(size, size)

    def position_key(self, positions: Tensor) -> Tensor:
        return self.pos_proj(positions)

    def position_query(self, positions: Tensor) -> Tensor:
        return self.pos_q_proj(positions)


class DebertaLayer(v2.DebertaLayer):
    """Self-attention and a feed-forward block."""

    attention_class = DebertaAttention

    def __init__(self, config: Any, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        names = {k: v for k, v in BERT_LAYER.items() if k not in [f"self_attn.{x}_proj" for x in "qkv"]}
        self.hub_names = names | {
            tuple(f"self_attn.{x}_proj.weight" for x in "qkv"): Fused(
                "attention.self.in_proj.weight", groups=config.num_attention_heads
            ),
            "self_attn.q_proj.bias": "attention.self.q_bias",
            "self_attn.v_proj.bias": "attention.self.v_bias",
        }


class DebertaModel(DebertaPreTrainedModel, v2.DebertaV2Model):
    """The encoder without a head."""

    layer_class = DebertaLayer


class DebertaPooled(DebertaPreTrainedModel, v2.DebertaPooled):
    """The encoder, and a dense layer and an activation on the first token."""

    layer_class = DebertaLayer


class DebertaForMaskedLM(DebertaPreTrainedModel, v2.DebertaV2ForMaskedLM):
    """DeBERTa with a masked language modeling head; `legacy` says how files call it."""

    base_class = DebertaModel


class DebertaForSequenceClassification(DebertaPreTrainedModel, v2.DebertaV2ForSequenceClassification):
    """DeBERTa with a classifier on the pooled output."""

    base_class = DebertaPooled


class DebertaForTokenClassification(DebertaPreTrainedModel, v2.DebertaV2ForTokenClassification):
    """DeBERTa with a classifier on each token."""

    base_class = DebertaModel


class DebertaForQuestionAnswering(DebertaPreTrainedModel, v2.DebertaV2ForQuestionAnswering):
    """DeBERTa with scores of an answer's first and last token."""

    base_class = DebertaModel
