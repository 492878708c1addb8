"""Cohere: attention and MLP side by side, neighbouring features rotated, scaled scores."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import ParallelLayer
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.rotary import RotaryEmbedding, RotaryTables
from zoo_text.cohere.config import CohereConfig


class HeadLayerNorm(nn.Module):
    """Layer norm of each head's features, with a weight of its own for every head."""

    def __init__(self, heads: int, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(heads, width))
        self.eps = eps

    def reset_parameters(self) -> None:
        nn.init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(..., heads, width) to the same shape; computed in float32."""
        normed = F.layer_norm(x.float(), x.shape[-1:], eps=self.eps)
        return (self.weight.float() * normed).to(x.dtype)


class RoundedRotary(RotaryEmbedding):
    """Rotates in float32 by tables that were rounded to the model's dtype."""

    def forward(self, positions: Tensor, *, dtype: torch.dtype, length: int = 0) -> RotaryTables:
        tables = super().forward(positions, dtype=dtype, length=length)
        return RotaryTables(tables.cos.float(), tables.sin.float(), interleaved=self.interleaved)


class CohereDecoder(DecoderModel):
    """A decoder of parallel layers under norms without biases."""

    layer_class = ParallelLayer

    def layer_options(self, config: PretrainedConfig) -> dict[str, Any]:
        return {"branches_first": False}

    def norm_of(self, config: PretrainedConfig) -> NormFactory:
        return partial(nn.LayerNorm, eps=config.layer_norm_eps, bias=False)


class CoherePreTrainedModel(PreTrainedModel):
    """What all Cohere classes share."""

    config_class = CohereConfig
    base_model_prefix = "model"


class CohereModel(CoherePreTrainedModel, CohereDecoder):
    """The decoder without a head."""

    def make_attention(self, config: CohereConfig, layer_idx: int) -> nn.Module:
        attention = attention_of(config, layer_idx)
        if config.use_qk_norm:
            width, eps = attention.head_dim, config.layer_norm_eps
            attention.q_norm = HeadLayerNorm(attention.num_heads, width, eps)
            attention.k_norm = HeadLayerNorm(attention.num_kv_heads, width, eps)
        return attention

    def make_rotary(self, config: CohereConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, kind=RoundedRotary, interleaved=True)}


class CohereForCausalLM(ForCausalLM, CoherePreTrainedModel):
    """Command R (Cohere) with a language modeling head."""

    base_class = CohereModel

    def score(self, hidden: Tensor) -> Tensor:
        return super().score(hidden) * self.config.logit_scale
