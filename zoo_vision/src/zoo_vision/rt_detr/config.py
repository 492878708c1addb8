"""Configuration of RT-DETR."""

from __future__ import annotations

from zoo_vision.resnet.config import ResNetConfig


class RTDetrResNetConfig(ResNetConfig):
    """Sizes and switches of the backbone: those of ResNet."""

    model_type = "rt_detr_resnet"
