"""Configuration of InternVL's image encoder."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field

NORM_TYPES = ("layer_norm", "rms_norm")


class InternVLVisionConfig(PretrainedConfig):
    """Sizes and switches; the defaults are those of InternViT-300M.

    With `use_mean_pooling` there is no norm after the last layer.
    """

    model_type = "internvl_vision"

    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    attention_bias: bool = False
    use_qk_norm: bool = False
    intermediate_size: int = 4096
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_dropout: float = 0.0
    projection_dropout: float = 0.0
    initializer_range: float = 0.02
    norm_type: str = "layer_norm"
    layer_norm_eps: float = 1e-6
    image_size: int | list[int] = field([448, 448])
    patch_size: int | list[int] = field([14, 14])
    num_channels: int = 3
    use_mask_token: bool = False
    use_absolute_position_embeddings: bool = True
    layer_scale_init_value: float = 0.1
    use_mean_pooling: bool = True

    def __post_init__(self) -> None:
        for name in ("image_size", "patch_size"):
            if isinstance(size := getattr(self, name), int):
                setattr(self, name, [size, size])

    def check(self) -> Iterator[tuple[str, str]]:
        if self.norm_type not in NORM_TYPES:
            yield "norm_type", f"must be one of {', '.join(NORM_TYPES)}"
