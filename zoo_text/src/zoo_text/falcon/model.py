"""Falcon: parallel layers, few key-value heads, rotary positions or ALiBi."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.alibi import alibi_bias
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import ParallelLayer, PreNormLayer
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.falcon.config import FalconConfig


class FalconPreTrainedModel(PreTrainedModel):
    """What all Falcon classes share."""

    config_class = FalconConfig
    base_model_prefix = "transformer"


class FalconAttention(Attention):
    """Attention whose ALiBi, if any, is scaled together with the scores."""

    def __init__(self, config: FalconConfig, layer_idx: int) -> None:
        grouped = config.new_decoder_architecture
        shared = 1 if config.multi_query else config.num_attention_heads
        super().__init__(
            config.hidden_size,
            config.num_attention_heads,
            num_kv_heads=config.num_kv_heads if grouped else shared,
            bias=config.bias,
            dropout=config.attention_dropout,
            rule=CAUSAL,
            layer_idx=layer_idx,
        )
        self.alibi = config.alibi
        blocked = config.multi_query and not grouped
        self.hub_names = {
            ("q_proj", "k_proj", "v_proj"): Fused(
                "query_key_value", groups=1 if blocked else self.num_kv_heads
            ),
            "o_proj": "dense",
        }

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor | None:
        if not self.alibi:
            return None
        return alibi_bias(self.num_heads, key.shape[2], query.device).to(query.dtype) * self.scale


class FalconModel(FalconPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    @property
    def hub_names(self) -> dict[str, str]:  # type: ignore[override]
        names = {
            "embed_tokens": "word_embeddings",
            "layers": "h",
            "layers.*.self_attn": "h.*.self_attention",
            "layers.*.mlp.fc1": "h.*.mlp.dense_h_to_4h",
            "layers.*.mlp.fc2": "h.*.mlp.dense_4h_to_h",
            "norm": "ln_f",
        }
        if self.config.parallel_attn and self.config.num_ln_in_parallel_attn == 2:
            names["layers.*.input_layernorm"] = "h.*.ln_attn"
            names["layers.*.post_attention_layernorm"] = "h.*.ln_mlp"
        return names

    def make_layer(self, config: FalconConfig, layer_idx: int) -> nn.Module:
        wiring: Any = PreNormLayer
        if config.parallel_attn:
            wiring = partial(ParallelLayer, two_norms=config.num_ln_in_parallel_attn == 2)
        return wiring(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_epsilon),
            self_attn=FalconAttention(config, layer_idx),
            mlp=MLP(config.hidden_size, config.ffn_hidden_size, config.activation, bias=config.bias),
            dropout=config.hidden_dropout,
        )

    def make_norm(self, config: FalconConfig) -> nn.Module:
        return nn.LayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)

    def make_rotary(self, config: FalconConfig) -> dict[str, RotaryEmbedding]:
        return {} if config.alibi else {"full": rotary_of(config)}


class FalconForCausalLM(ForCausalLM, FalconPreTrainedModel):
    """Falcon with a language modeling head."""

    base_class = FalconModel
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}


class FalconForSequenceClassification(ForLastTokenClassification, FalconPreTrainedModel):
    """Falcon with a classifier on the last token."""

    base_class = FalconModel


class FalconForTokenClassification(ForTokenClassification, FalconPreTrainedModel):
    """Falcon with a classifier on each token."""

    base_class = FalconModel


class FalconForQuestionAnswering(ForQuestionAnswering, FalconPreTrainedModel):
    """Falcon with scores of an answer's first and last token."""

    base_class = FalconModel
