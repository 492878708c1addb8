"""Falcon Mamba: Mamba whose steps and projections of the state are normalised, without weights."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.ssm import MambaMixer
from zoo_text.falcon_mamba.config import FalconMambaConfig
from zoo_text.mamba.model import MambaForCausalLM, MambaModel, mixer_options


class FalconMambaMixer(MambaMixer):
    """Mamba's state space with RMS norms on steps, "B" and "C"."""

    def __init__(self, config: FalconMambaConfig, layer_idx: int) -> None:
        super().__init__(**mixer_options(config, layer_idx))
        self.inner_norm = RMSNorm(config.state_size, config.mixer_rms_eps, affine=False)

    def select(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        step, write, read = (self.inner_norm(part) for part in super().select(x))
        return step, write, read


class FalconMambaModel(MambaModel):
    """The model without a head."""

    config_class = FalconMambaConfig

    def make_mixer(self, config: FalconMambaConfig, layer_idx: int) -> nn.Module:
        return FalconMambaMixer(config, layer_idx)


class FalconMambaForCausalLM(MambaForCausalLM):
    """Falcon Mamba with a language modeling head."""

    config_class = FalconMambaConfig
    base_class = FalconMambaModel
