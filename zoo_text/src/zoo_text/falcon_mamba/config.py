"""Configuration of Falcon Mamba."""

from __future__ import annotations

from zoo_text.mamba.config import MambaConfig


class FalconMambaConfig(MambaConfig):
    """Sizes and switches of a Falcon Mamba."""

    model_type = "falcon_mamba"

    use_falcon_mambapy: bool = False
    mixer_rms_eps: float = 1e-6
