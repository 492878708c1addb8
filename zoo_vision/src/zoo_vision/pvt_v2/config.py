"""Configuration of PVT v2."""

from __future__ import annotations

from zoo_core.config import BackboneConfig, field


class PvtV2Config(BackboneConfig):
    """Sizes and switches of a PVT v2; the defaults are those of B0.

    `linear_attention` takes keys and values from a map of 7x7 means, whatever `sr_ratios` says.
    """

    model_type = "pvt_v2"

    image_size: int | list[int] = 224
    num_channels: int = 3
    num_encoder_blocks: int = 4
    depths: list[int] = field([2, 2, 2, 2])
    sr_ratios: list[int] = field([8, 4, 2, 1])
    hidden_sizes: list[int] = field([32, 64, 160, 256])
    patch_sizes: list[int] = field([7, 3, 3, 3])
    strides: list[int] = field([4, 2, 2, 2])
    num_attention_heads: list[int] = field([1, 2, 5, 8])
    mlp_ratios: list[float] = field([8, 8, 4, 4])
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    drop_path_rate: float = 0.0
    layer_norm_eps: float = 1e-6
    qkv_bias: bool = True
    linear_attention: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.image_size, int):
            self.image_size = [self.image_size] * 2
        super().__post_init__()

    def make_stage_names(self) -> list[str]:
        return [f"stage{number}" for number in range(1, len(self.depths) + 1)]
