"""Configuration of MaskFormer's Swin."""

from __future__ import annotations

from zoo_core.config import BackboneConfig
from zoo_vision.swin.config import SwinSizes


class MaskFormerSwinConfig(SwinSizes, BackboneConfig):
    """Sizes and switches of a Swin, and the stages that it returns as a backbone."""

    model_type = "maskformer-swin"
