"""Configuration of SegFormer."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field


class MixTransformerConfig(PretrainedConfig):
    """Sizes of the encoder, B0's by default; each list has an entry for each of its stages."""

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


class SegformerConfig(MixTransformerConfig):
    """Sizes and switches of a SegFormer."""

    model_type = "segformer"

    classifier_dropout_prob: float = 0.1
    decoder_hidden_size: int = 256
    semantic_loss_ignore_index: int = 255
    reshape_last_stage: bool = True
