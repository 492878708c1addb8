"""Configuration of MobileViTV2."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field


class MobileViTV2Config(PretrainedConfig):
    """Sizes and switches of a MobileViTV2; `width_multiplier` times the widths of the plain model."""

    model_type = "mobilevitv2"

    num_channels: int = 3
    image_size: int | list[int] = 256
    patch_size: int = 2
    expand_ratio: float = 2.0
    hidden_act: str = "swish"
    conv_kernel_size: int = 3
    output_stride: int = 32
    classifier_dropout_prob: float = 0.1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    aspp_out_channels: int = 512
    atrous_rates: list[int] = field([6, 12, 18])
    aspp_dropout_prob: float = 0.1
    semantic_loss_ignore_index: int = 255
    n_attn_blocks: list[int] = field([2, 4, 3])
    base_attn_unit_dims: list[int] = field([128, 192, 256])
    width_multiplier: float = 1.0
    ffn_multiplier: float = 2
    attn_dropout: float = 0.0
    ffn_dropout: float = 0.0
