"""Configuration of LeViT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field


class LevitConfig(PretrainedConfig):
    """Sizes and switches of a LeViT; the defaults are those of LeViT-128.

    `kernel_size`, `stride` and `padding` are those of the four convolutions that make the patches;
    `down_ops` follows from the rest.
    """

    model_type = "levit"

    image_size: int = 224
    num_channels: int = 3
    kernel_size: int = 3
    stride: int = 2
    padding: int = 1
    patch_size: int = 16
    hidden_sizes: list[int] = field([128, 256, 384])
    num_attention_heads: list[int] = field([4, 8, 12])
    depths: list[int] = field([4, 4, 4])
    key_dim: list[int] = field([16, 16, 16])
    drop_path_rate: float = 0.0
    mlp_ratio: list[int] = field([2, 2, 2])
    attention_ratio: list[int] = field([2, 2, 2])
    initializer_range: float = 0.02
    down_ops: list[Any] | None = None

    def __post_init__(self) -> None:
        pairs = list(zip(self.hidden_sizes, self.key_dim, strict=False))[:-1]
        self.down_ops = [["Subsample", key_dim, size // key_dim, 4, 2, 2] for size, key_dim in pairs]

    def check(self) -> Iterator[tuple[str, str]]:
        stages = len(self.depths)
        for name in ("hidden_sizes", "num_attention_heads", "key_dim", "mlp_ratio", "attention_ratio"):
            if len(getattr(self, name)) != stages:
                yield name, f"must have one entry for each of the {stages} stages in depths"
