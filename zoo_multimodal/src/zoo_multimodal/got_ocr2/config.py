"""Configurations of GOT-OCR 2.0 and its image tower."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field, sub_config


class GotOcr2VisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower, which is Segment Anything's."""

    base_config_key = "vision_config"

    hidden_size: int = 768
    output_channels: int = 256
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int = 1024
    patch_size: int = 16
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    initializer_range: float = 1e-10
    qkv_bias: bool = True
    use_abs_pos: bool = True
    use_rel_pos: bool = True
    window_size: int = 14
    global_attn_indexes: list[int] = field([2, 5, 8, 11])
    mlp_dim: int = 3072


class GotOcr2Config(PretrainedConfig):
    """An image tower and a Qwen2."""

    model_type = "got_ocr2"
    attribute_map = {"image_token_id": "image_token_index"}

    vision_config: GotOcr2VisionConfig = sub_config(GotOcr2VisionConfig, fixed=True)
    text_config: PretrainedConfig = sub_config(
        "qwen2",
        vocab_size=151860,
        hidden_size=1024,
        intermediate_size=2816,
        num_hidden_layers=24,
        num_attention_heads=16,
        num_key_value_heads=16,
        max_window_layers=21,
        rope_theta=1e6,
        tie_word_embeddings=True,
    )
    image_token_index: int = 151859
    image_seq_length: int = 576
    pad_token_id: int | None = -1
