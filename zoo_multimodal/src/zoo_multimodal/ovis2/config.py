"""Configurations of Ovis2 and its image tower."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config

TOKENIZE_FUNCTIONS = ("softmax", "gumbel_argmax", "st_argmax")


class Ovis2VisionConfig(PretrainedConfig):
    """Sizes of the image tower, which writes images in `vocab_size` visual words.

    The last `num_visual_indicator_tokens` of these stand for the beginnings and ends of images;
    `hidden_stride` squared of the patches become one word.
    """

    base_config_key = "vision_config"

    hidden_size: int = 1024
    intermediate_size: int = 2816
    num_hidden_layers: int = 24
    num_attention_heads: int = 8
    num_channels: int = 3
    patch_size: int = 14
    image_size: int = 224
    attention_dropout: float = 0.0
    hidden_act: str = "silu"
    qkv_bias: bool = False
    mlp_bias: bool = False
    rms_norm_eps: float = 1e-5
    vocab_size: int = 16384
    hidden_stride: int = 1
    num_visual_indicator_tokens: int = 5
    tokenize_function: str = "softmax"
    initializer_range: float = 0.02

    def check(self) -> Iterator[tuple[str, str]]:
        if self.tokenize_function not in TOKENIZE_FUNCTIONS:
            yield "tokenize_function", f"must be one of {', '.join(TOKENIZE_FUNCTIONS)}"


class Ovis2Config(PretrainedConfig):
    """An image tower with words of its own, and a Qwen2."""

    model_type = "ovis2"

    vision_config: Ovis2VisionConfig = sub_config(Ovis2VisionConfig, fixed=True)
    text_config: PretrainedConfig = sub_config("qwen2", fixed=True)
    image_token_id: int = 151665
    visual_indicator_token_ids: list[int] = field([151666, 151667, 151668, 151669, 151670])
    vocab_size: int = 151643
    hidden_size: int = 1536
