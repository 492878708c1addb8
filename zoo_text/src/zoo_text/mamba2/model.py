"""Mamba-2: Mamba with a state space of heads, computed as matrix products."""

from __future__ import annotations

from torch import nn

from zoo_core.nn.ssm import GatedRMSNorm, Mamba2Mixer
from zoo_text.mamba.model import MambaForCausalLM, MambaModel
from zoo_text.mamba2.config import Mamba2Config


class Mamba2Model(MambaModel):
    """The model without a head."""

    config_class = Mamba2Config
    record_after = True

    def make_mixer(self, config: Mamba2Config, layer_idx: int) -> nn.Module:
        low, high = config.time_step_limit
        return Mamba2Mixer(
            config.hidden_size,
            heads=config.num_heads,
            head_dim=config.head_dim,
            state_size=config.state_size,
            groups=config.n_groups,
            conv_width=config.conv_kernel,
            conv_bias=config.use_conv_bias,
            bias=config.use_bias,
            act=config.hidden_act,
            norm=GatedRMSNorm(config.num_heads * config.head_dim, config.layer_norm_epsilon),
            chunk=config.chunk_size,
            layer_idx=layer_idx,
            step_limit=(low, high),
            steps=(config.time_step_min, config.time_step_max, config.time_step_floor),
        )


class Mamba2ForCausalLM(MambaForCausalLM):
    """Mamba-2 with a language modeling head."""

    config_class = Mamba2Config
    base_class = Mamba2Model
