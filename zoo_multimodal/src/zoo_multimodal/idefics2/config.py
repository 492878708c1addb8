"""Configurations of Idefics2 and its parts."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class Idefics2VisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower."""

    model_type = "idefics2_vision"
    base_config_key = "vision_config"

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int = 224
    patch_size: int = 32
    hidden_act: str = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    initializer_range: float = 0.02


class Idefics2PerceiverConfig(PretrainedConfig):
    """Sizes of the resampler, which makes `resampler_n_latents` features of any number of patches."""

    model_type = "idefics2_perceiver"
    base_config_key = "perceiver_config"

    hidden_act: str = "silu"
    hidden_size: int = 4096
    rms_norm_eps: float = 1e-6
    resampler_n_latents: int = 64
    resampler_depth: int = 3
    resampler_n_heads: int = 16
    resampler_head_dim: int = 96
    num_key_value_heads: int = 4
    attention_dropout: float = 0.0
    initializer_range: float = 0.02


class Idefics2Config(PretrainedConfig):
    """An image tower, a resampler and a language model."""

    model_type = "idefics2"

    use_cache: bool = True
    image_token_id: int = 32001
    tie_word_embeddings: bool = False
    vision_config: Idefics2VisionConfig = sub_config(Idefics2VisionConfig, fixed=True)
    perceiver_config: Idefics2PerceiverConfig = sub_config(Idefics2PerceiverConfig, fixed=True)
    text_config: PretrainedConfig = sub_config(
        "mistral", max_position_embeddings=4096 * 8, rms_norm_eps=1e-5, pad_token_id=0
    )

    def __post_init__(self) -> None:
        self.perceiver_config.hidden_size = self.text_config.hidden_size
