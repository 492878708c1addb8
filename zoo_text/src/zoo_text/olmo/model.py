"""OLMo: Llama whose norms have no weights, with clipped queries, keys and values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_options, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.olmo.config import OlmoConfig


class ClippedAttention(Attention):
    """Attention whose queries, keys and values are clipped to within `clip_qkv` of zero."""

    def __init__(self, config: PretrainedConfig, layer_idx: int, **changes: Any) -> None:
        options = attention_options(config, layer_idx, **changes)
        super().__init__(config.hidden_size, config.num_attention_heads, **options)
        self.limit = config.clip_qkv

    def split(self, x: Tensor, norm: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        x = super().split(x, norm)
        return x if self.limit is None else x.clamp(-self.limit, self.limit)


class OlmoPreTrainedModel(PreTrainedModel):
    """What all OLMo classes share."""

    config_class = OlmoConfig
    base_model_prefix = "model"


class OlmoModel(OlmoPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_attention(self, config: OlmoConfig, layer_idx: int) -> nn.Module:
        return ClippedAttention(config, layer_idx)

    def norm_of(self, config: OlmoConfig) -> NormFactory:
        return partial(nn.LayerNorm, eps=1e-5, elementwise_affine=False)

    def make_rotary(self, config: OlmoConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, float32=True)}


class OlmoForCausalLM(ForCausalLM, OlmoPreTrainedModel):
    """OLMo with a language modeling head."""

    base_class = OlmoModel
