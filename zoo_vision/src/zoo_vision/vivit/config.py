"""Configuration of ViViT."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field


class VivitConfig(PretrainedConfig):
    """Sizes and switches of a ViViT; the defaults are those of the base model.

    `tubelet_size` is the frames, rows and columns of a patch.
    """

    model_type = "vivit"

    image_size: int | list[int] = 224
    num_frames: int = 32
    tubelet_size: list[int] = field([2, 16, 16])
    num_channels: int = 3
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu_fast"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-6
    qkv_bias: bool = True
