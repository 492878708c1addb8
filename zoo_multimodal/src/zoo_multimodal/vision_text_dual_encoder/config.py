"""Configuration of two encoders with one embedding space."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from zoo_core.config import PretrainedConfig, sub_config


class VisionTextDualEncoderConfig(PretrainedConfig):
    """Both encoders, of any registered types, and the space that they project to.

    An image encoder that is the tower of a CLIP may be given by the config of the whole CLIP.
    """

    model_type = "vision-text-dual-encoder"

    vision_config: PretrainedConfig = sub_config(None)
    text_config: PretrainedConfig = sub_config(None)
    projection_dim: int = 512
    logit_scale_init_value: float = 2.6592

    def __post_init__(self) -> None:
        if self.vision_config is not None and self.vision_config.model_type == "clip":
            self.vision_config = self.vision_config.vision_config

    def check(self) -> Iterator[tuple[str, str]]:
        for name in ("vision_config", "text_config"):
            if getattr(self, name) is None:
                yield name, "must be given, with its model_type"

    @classmethod
    def from_vision_text_configs(
        cls, vision_config: PretrainedConfig, text_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """A config of two encoders' configs."""
        return cls(vision_config=vision_config.to_dict(), text_config=text_config.to_dict(), **kwargs)
