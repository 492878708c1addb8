"""Configuration of Swin V2."""

from __future__ import annotations

from zoo_core.config import field
from zoo_vision.swin.config import SwinConfig


class Swinv2Config(SwinConfig):
    """Sizes and switches of a Swin V2; see SwinConfig.

    `pretrained_window_sizes` are the windows that each stage's biases were trained for, 0 if for its own.
    """

    model_type = "swinv2"

    pretrained_window_sizes: list[int] = field([0, 0, 0, 0])
