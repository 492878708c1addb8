"""Configuration of PVT."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, field


class PvtConfig(PretrainedConfig):
    """Sizes and switches of a PVT; the defaults are those of the tiny model.

    In `sequence_reduction_ratios` are the cells to a side that keys and values take as one.
    """

    model_type = "pvt"

    image_size: int = 224
    num_channels: int = 3
    num_encoder_blocks: int = 4
    depths: list[int] = field([2, 2, 2, 2])
    sequence_reduction_ratios: list[int] = field([8, 4, 2, 1])
    hidden_sizes: list[int] = field([64, 128, 320, 512])
    patch_sizes: list[int] = field([4, 2, 2, 2])
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

    def __init__(self, **values: Any) -> None:
        if not {"num_labels", "id2label"} & values.keys():
            values["num_labels"] = 1000
        super().__init__(**values)
