"""Configurations of IDEFICS and its parts."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_text.llama.config import LlamaLikeConfig


class IdeficsVisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower, a CLIP's."""

    model_type = "idefics_vision"
    base_config_key = "vision_config"
    attribute_map = {"hidden_size": "embed_dim"}

    embed_dim: int = 768
    image_size: int = 224
    intermediate_size: int = 5120
    patch_size: int = 14
    num_hidden_layers: int = 32
    num_attention_heads: int = 16
    num_channels: int = 3
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0


class IdeficsPerceiverConfig(PretrainedConfig):
    """Sizes of the resampler."""

    model_type = "idefics_perciever"
    base_config_key = "perceiver_config"

    use_resampler: bool = False
    resampler_n_latents: int = 64
    resampler_depth: int = 6
    resampler_n_heads: int = 16
    resampler_head_dim: int = 96
    qk_layer_norms_perceiver: bool = False


class IdeficsConfig(LlamaLikeConfig):
    """Sizes and switches of the decoder, and of the layers in it that look at images.

    One stands before every `cross_layer_interval`-th layer; `alpha_type` says whether its share is learned
    as one number ("float") or for each feature ("vector"). `additional_vocab_size` tokens have tables of
    their own.
    """

    model_type = "idefics"

    additional_vocab_size: int = 0
    dropout: float = 0.0
    alpha_initializer: str = "zeros"
    alphas_initializer_range: float = 0.0
    alpha_type: str = "float"
    rms_norm_eps: float = 1e-6
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    cross_layer_interval: int = 1
    qk_layer_norms: bool = False
    freeze_text_layers: bool = True
    freeze_text_module_exceptions: list[str] = field([])
    freeze_lm_head: bool = False
    freeze_vision_layers: bool = True
    freeze_vision_module_exceptions: list[str] = field([])
    use_resampler: bool = False
    vision_config: IdeficsVisionConfig = sub_config(IdeficsVisionConfig)
    perceiver_config: IdeficsPerceiverConfig = sub_config(IdeficsPerceiverConfig)

    def check(self) -> Iterator[tuple[str, str]]:
        if self.alpha_type not in ("float", "vector"):
            yield "alpha_type", 'must be "float" or "vector"'
