"""Configuration of SwiftFormer."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field


class SwiftFormerConfig(PretrainedConfig):
    """Sizes and switches of a SwiftFormer; the defaults are those of the extra small model.

    `downsamples` says before which stages the map shrinks although the width stays; `down_*` are of the
    convolutions that do it.
    """

    model_type = "swiftformer"

    image_size: int = 224
    num_channels: int = 3
    depths: list[int] = field([3, 3, 6, 4])
    embed_dims: list[int] = field([48, 56, 112, 220])
    mlp_ratio: int = 4
    downsamples: list[bool] = field([True, True, True, True])
    hidden_act: str = "gelu"
    down_patch_size: int = 3
    down_stride: int = 2
    down_pad: int = 1
    drop_path_rate: float = 0.0
    drop_mlp_rate: float = 0.0
    drop_conv_encoder_rate: float = 0.0
    use_layer_scale: bool = True
    layer_scale_init_value: float = 1e-5
    batch_norm_eps: float = 1e-5
