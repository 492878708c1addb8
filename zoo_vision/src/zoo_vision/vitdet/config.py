"""Configuration of ViTDet."""

from __future__ import annotations

from zoo_core.config import BackboneConfig, field


class VitDetConfig(BackboneConfig):
    """Sizes and switches of a plain ViT for detection; the defaults are those of the base model.

    Layers in `window_block_indices` attend within windows, those in `residual_block_indices` end with
    convolutions; positions are trained on images of `pretrain_image_size`.
    """

    model_type = "vitdet"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    mlp_ratio: float = 4
    hidden_act: str = "gelu"
    dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-6
    image_size: int | list[int] = 224
    pretrain_image_size: int | list[int] = 224
    patch_size: int | list[int] = 16
    num_channels: int = 3
    qkv_bias: bool = True
    drop_path_rate: float = 0.0
    window_block_indices: list[int] = field([])
    residual_block_indices: list[int] = field([])
    use_absolute_position_embeddings: bool = True
    use_relative_position_embeddings: bool = False
    window_size: int = 0
