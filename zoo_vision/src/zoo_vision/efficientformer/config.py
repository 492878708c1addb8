"""Configuration of EfficientFormer."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class EfficientFormerConfig(PretrainedConfig):
    """Sizes and switches of an EfficientFormer; the defaults are those of L1.

    The last `num_meta3d_blocks` layers attend, over a map of `resolution` x `resolution` cells of width
    `dim`; all others pool. `downsample_*` are of the convolutions between stages.
    """

    model_type = "efficientformer"

    depths: list[int] = field([3, 2, 6, 4])
    hidden_sizes: list[int] = field([48, 96, 224, 448])
    downsamples: list[bool] = field([True, True, True, True])
    dim: int = 448
    key_dim: int = 32
    attention_ratio: int = 4
    resolution: int = 7
    num_hidden_layers: int = 5
    num_attention_heads: int = 8
    mlp_expansion_ratio: int = 4
    hidden_dropout_prob: float = 0.0
    patch_size: int = 16
    num_channels: int = 3
    pool_size: int = 3
    downsample_patch_size: int = 3
    downsample_stride: int = 2
    downsample_pad: int = 1
    drop_path_rate: float = 0.0
    num_meta3d_blocks: int = 1
    distillation: bool = True
    use_layer_scale: bool = True
    layer_scale_init_value: float = 1e-5
    hidden_act: str = "gelu"
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    image_size: int = 224
    batch_norm_eps: float = 1e-5

    def check(self) -> Iterator[tuple[str, str]]:
        if self.num_meta3d_blocks > self.depths[-1]:
            yield "num_meta3d_blocks", f"must not exceed the layers of the last stage ({self.depths[-1]})"
