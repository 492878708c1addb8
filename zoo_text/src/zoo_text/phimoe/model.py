"""Phi-3.5-MoE: layer norms, and two experts that are chosen one after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.decoder import DecoderModel, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.moe import Router
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.rotary import RotaryEmbedding, RotaryTables
from zoo_text.mixtral.model import MixtralMoE
from zoo_text.phi3.model import LongRopeGeneration, is_long
from zoo_text.phimoe.config import PhimoeConfig


class SparseMixerRouter(Router):
    """Two experts, each weighed among those whose scores come close to its own.

    An expert is close when it is below by at most twice `tolerance` of the larger absolute value of both.
    The second is found as the first, without it (SparseMixer, https://arxiv.org/abs/2409.12136, without the
    sampling that training adds).
    """

    def __init__(self, hidden_size: int, num_experts: int, *, tolerance: float) -> None:
        super().__init__(hidden_size, num_experts, 2)
        self.tolerance = tolerance

    def choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        first, first_weight = self.best(logits, logits)
        rest = logits.scatter(-1, first, -math.inf)
        second, second_weight = self.best(logits, rest)
        return torch.cat((first, second), dim=-1), torch.cat((first_weight, second_weight), dim=-1)

    def best(self, logits: Tensor, eligible: Tensor) -> tuple[Tensor, Tensor]:
        """The best eligible expert and its weight, (tokens, 1) each."""
        top, index = eligible.max(dim=-1, keepdim=True)
        distant = (top - logits) / logits.abs().clamp(min=top) > 2 * self.tolerance
        return index, eligible.masked_fill(distant, -math.inf).softmax(-1).gather(-1, index)


class ScaledLongRotary(RotaryEmbedding):
    """LongRoPE whose tables are scaled by `short_mscale` or, in a long context, by `long_mscale`."""

    def __init__(self, dim: int, *, scaling: Mapping[str, Any], **options: Any) -> None:
        super().__init__(dim, scaling={**scaling, "attention_factor": 1.0}, **options)
        self.original = scaling["original_max_position_embeddings"]
        self.mscales = scaling["short_mscale"], scaling["long_mscale"]

    def forward(self, positions: Tensor, *, dtype: torch.dtype, length: int = 0) -> RotaryTables:
        tables = super().forward(positions, dtype=torch.float32, length=length)
        scale = self.mscales[bool(length > self.original)]
        return RotaryTables((tables.cos * scale).to(dtype), (tables.sin * scale).to(dtype))


class PhimoePreTrainedModel(PreTrainedModel):
    """What all Phi-3.5-MoE classes share."""

    config_class = PhimoeConfig
    base_model_prefix = "model"


class PhimoeModel(PhimoePreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast
    hub_names = {"layers.*.mlp": "layers.*.block_sparse_moe"}

    def norm_of(self, config: PhimoeConfig) -> NormFactory:
        return partial(nn.LayerNorm, eps=config.rms_norm_eps)

    def make_mlp(self, config: PhimoeConfig, layer_idx: int) -> nn.Module:
        tolerance = config.router_jitter_noise
        router = SparseMixerRouter(config.hidden_size, config.num_local_experts, tolerance=tolerance)
        return MixtralMoE(config, router, jitter=config.input_jitter_noise)

    def make_rotary(self, config: PhimoeConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, kind=ScaledLongRotary if is_long(config) else RotaryEmbedding)}


class PhimoeForCausalLM(LongRopeGeneration, ForMoeCausalLM, PhimoePreTrainedModel):
    """Phi-3.5-MoE with a language modeling head."""

    base_class = PhimoeModel

    def make_lm_head(self, config: PhimoeConfig) -> nn.Linear:
        return nn.Linear(config.hidden_size, config.vocab_size, bias=config.lm_head_bias)


class PhimoeForSequenceClassification(ForLastTokenClassification, PhimoePreTrainedModel):
    """Phi-3.5-MoE with a classifier on the last token."""

    base_class = PhimoeModel
