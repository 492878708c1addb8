"""Configuration of GLPN."""

from __future__ import annotations

from typing import ClassVar

from zoo_core.config import PretrainedConfig, field


class GLPNConfig(PretrainedConfig):
    """Sizes and switches of a GLPN: a SegFormer's, whose lists have an entry a stage, and the decoder's."""

    model_type = "glpn"

    num_channels: int = 3
    num_encoder_blocks: int = 4
    depths: list[int] = field([2, 2, 2, 2])
    sr_ratios: list[int] = field([8, 4, 2, 1])
    hidden_sizes: list[int] = field([32, 64, 160, 256])
    patch_sizes: list[int] = field([7, 3, 3, 3])
    strides: list[int] = field([4, 2, 2, 2])
    num_attention_heads: list[int] = field([1, 2, 5, 8])
    mlp_ratios: list[float] = field([4, 4, 4, 4])
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    drop_path_rate: float = 0.1
    layer_norm_eps: float = 1e-6
    decoder_hidden_size: int = 64
    max_depth: float = 10
    head_in_index: int = -1

    reshape_last_stage: ClassVar[bool] = True
