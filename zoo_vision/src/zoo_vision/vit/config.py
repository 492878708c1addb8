"""Configuration of ViT."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class ViTConfig(PretrainedConfig):
    """Sizes and switches of a ViT; the defaults are those of ViT-Base/16."""

    model_type = "vit"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    image_size: int | list[int] = 224
    patch_size: int | list[int] = 16
    num_channels: int = 3
    qkv_bias: bool = True
    encoder_stride: int = 16
    pooler_output_size: int | None = None
    pooler_act: str = "tanh"

    def __post_init__(self) -> None:
        if self.pooler_output_size is None:
            self.pooler_output_size = self.hidden_size
