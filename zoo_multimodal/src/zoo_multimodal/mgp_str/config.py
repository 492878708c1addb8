"""Configuration of MGP-STR."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class MgpstrConfig(PretrainedConfig):
    """Sizes and switches of an MGP-STR; the defaults are those of mgp-str-base.

    Args:
        max_token_length: tokens of a text, in each of the three alphabets.
        output_a3_attentions: return where each token looks.
    """

    model_type = "mgp-str"

    image_size: int | list[int] = [32, 128]
    patch_size: int = 4
    num_channels: int = 3
    max_token_length: int = 27
    num_character_labels: int = 38
    num_bpe_labels: int = 50257
    num_wordpiece_labels: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    distilled: bool = False
    layer_norm_eps: float = 1e-5
    drop_rate: float = 0.0
    attn_drop_rate: float = 0.0
    drop_path_rate: float = 0.0
    output_a3_attentions: bool = False
    initializer_range: float = 0.02
