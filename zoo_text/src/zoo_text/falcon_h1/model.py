"""Falcon-H1: in every layer attention and a Mamba-2 state space side by side, then an MLP."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import attention_options
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.ssm import GatedRMSNorm, Mamba2Mixer
from zoo_text.bamba.model import BambaModel
from zoo_text.falcon_h1.config import FalconH1Config


class FalconH1PreTrainedModel(PreTrainedModel):
    """What all Falcon-H1 classes share."""

    config_class = FalconH1Config
    base_model_prefix = "model"
    ignored_names = ("*.mup_vector",)


class ScaledMixer(Mamba2Mixer):
    """Mamba-2's state space with a factor on its input and on each part that is projected from it."""

    def __init__(self, config: FalconH1Config, layer_idx: int) -> None:
        norm = GatedRMSNorm(
            config.inner_size,
            config.rms_norm_eps,
            groups=config.mamba_n_groups,
            gate_first=not config.mamba_norm_before_gate,
        )
        super().__init__(
            config.hidden_size,
            heads=config.mamba_n_heads,
            head_dim=int(config.mamba_d_head),
            state_size=config.mamba_d_state,
            groups=config.mamba_n_groups,
            conv_width=config.mamba_d_conv,
            conv_bias=config.mamba_conv_bias,
            bias=config.mamba_proj_bias,
            act=config.hidden_act,
            norm=norm if config.mamba_rms_norm else None,
            chunk=config.mamba_chunk_size,
            layer_idx=layer_idx,
        )
        self.out_proj = Linear(config.inner_size, config.hidden_size, bias=config.projectors_bias)
        self.factor, self.factors = config.ssm_in_multiplier, config.ssm_multipliers

    def project(self, hidden: Tensor) -> Tensor:
        parts = self.in_proj(hidden * self.factor).split([self.sizes[0], *self.sizes, len(self.D)], dim=-1)
        return torch.cat([part * factor for part, factor in zip(parts, self.factors, strict=True)], dim=-1)


class ScaledKeyAttention(Attention):
    """Attention with a factor on the keys."""

    key_factor = 1.0

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = super().project(hidden)
        return query, key * self.key_factor, value


class ScaledMLP(GatedMLP):
    """A gated MLP with a factor on the gate and one on the output."""

    def __init__(self, config: FalconH1Config) -> None:
        super().__init__(
            config.hidden_size, config.intermediate_size, config.hidden_act, bias=config.mlp_bias
        )
        self.gate_factor, self.out_factor = config.mlp_multipliers

    def forward(self, x: Tensor) -> Tensor:
        gate = self.act(self.gate_proj(x) * self.gate_factor)
        return self.down_proj(self.up_proj(x) * gate) * self.out_factor


class FalconH1Layer(PreNormLayer):
    """x + mamba(norm(x)) + attn(norm(x)), each scaled, then x + mlp(norm(x))."""

    hub_names = {"mlp": "feed_forward", "post_attention_layernorm": "pre_ff_layernorm"}

    def __init__(self, config: FalconH1Config, layer_idx: int) -> None:
        options = attention_options(config, layer_idx)
        attention = ScaledKeyAttention(config.hidden_size, config.num_attention_heads, **options)
        attention.key_factor = config.key_multiplier
        norm = partial(RMSNorm, eps=config.rms_norm_eps)
        super().__init__(config.hidden_size, norm, self_attn=attention, mlp=ScaledMLP(config))
        self.mamba = ScaledMixer(config, layer_idx)
        self.in_factor, self.out_factor = config.attention_in_multiplier, config.attention_out_multiplier
        self.mamba_factor = config.ssm_out_multiplier

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        normed = self.input_layernorm(hidden)
        mixed = self.mamba(normed, context) * self.mamba_factor
        attended = self.self_attn(normed * self.in_factor, context, **attention) * self.out_factor
        hidden = hidden + (mixed + attended)
        return hidden + self.mlp(self.post_attention_layernorm(hidden))


class FalconH1Model(FalconH1PreTrainedModel, BambaModel):
    """The decoder without a head."""

    def make_layer(self, config: FalconH1Config, layer_idx: int) -> nn.Module:
        return FalconH1Layer(config, layer_idx)

    def embed(self, *inputs: Any) -> Tensor:
        return super().embed(*inputs) * self.config.embedding_multiplier


class FalconH1ForCausalLM(ForCausalLM, FalconH1PreTrainedModel):
    """Falcon-H1 with a language modeling head whose scores are scaled."""

    base_class = FalconH1Model

    def score(self, hidden: Tensor) -> Tensor:
        return super().score(hidden) * self.config.lm_head_multiplier
