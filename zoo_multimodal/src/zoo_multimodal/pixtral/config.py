"""Configuration of Pixtral's image tower."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class PixtralVisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower."""

    model_type = "pixtral"
    base_config_key = "vision_config"

    hidden_size: int = 1024
    intermediate_size: int = 4096
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    num_channels: int = 3
    image_size: int = 1024
    patch_size: int = 16
    hidden_act: str = "gelu"
    attention_dropout: float = 0.0
    rope_theta: float = 10000.0
    initializer_range: float = 0.02
    head_dim: int | None = None

    def __post_init__(self) -> None:
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads
