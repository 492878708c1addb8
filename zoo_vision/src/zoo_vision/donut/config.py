"""Configuration of Donut's image encoder."""

from __future__ import annotations

from zoo_vision.swin.config import SwinSizes


class DonutSwinConfig(SwinSizes):
    """Sizes and switches of a Swin that reads documents."""

    model_type = "donut-swin"
