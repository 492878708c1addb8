"""Configuration of Gemma 3n."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class Gemma3nConfig(PretrainedConfig):
    """A language model, an image tower, an audio tower, and the tokens around what they see and hear."""

    model_type = "gemma3n"

    text_config: PretrainedConfig = sub_config("gemma3n_text")
    vision_config: PretrainedConfig = sub_config("gemma3n_vision")
    audio_config: PretrainedConfig = sub_config("gemma3n_audio")
    audio_soft_tokens_per_image: int = 188
    vision_soft_tokens_per_image: int = 256
    boi_token_id: int = 255999
    eoi_token_id: int = 262144
    image_token_id: int = 262145
    boa_token_id: int = 256000
    eoa_token_id: int = 262272
    audio_token_id: int = 262273
    initializer_range: float = 0.02
