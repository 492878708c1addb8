"""Configurations of BLIP-2 and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from zoo_core import registry
from zoo_core.config import PretrainedConfig, sub_config


class Blip2VisionConfig(PretrainedConfig):
    """Sizes and switches of the image encoder; the defaults are those of EVA-ViT-g."""

    model_type = "blip_2_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 1408
    intermediate_size: int = 6144
    num_hidden_layers: int = 39
    num_attention_heads: int = 16
    image_size: int = 224
    patch_size: int = 14
    num_channels: int = 3
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    initializer_range: float = 1e-10
    qkv_bias: bool = True


class Blip2QFormerConfig(PretrainedConfig):
    """Sizes and switches of the querying transformer.

    Every `cross_attention_frequency`-th layer attends to states of width `encoder_hidden_size`;
    `use_qformer_text_input` gives the layers a feed-forward block for text as well.
    """

    model_type = "blip_2_qformer"
    base_config_key = "qformer_config"

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    position_embedding_type: str = "absolute"
    cross_attention_frequency: int = 2
    encoder_hidden_size: int = 1408
    use_qformer_text_input: bool = False


class QueryingConfig(PretrainedConfig):
    """What BLIP-2 and InstructBLIP share: a language model that reads what `num_query_tokens` queries saw."""

    text_config: PretrainedConfig = sub_config("opt")
    num_query_tokens: int = 32
    initializer_factor: float = 1.0
    initializer_range: float = 0.02
    use_decoder_only_language_model: bool | None = None

    def __init__(
        self,
        vision_config: PretrainedConfig | Mapping[str, Any] | None = None,
        qformer_config: PretrainedConfig | Mapping[str, Any] | None = None,
        text_config: PretrainedConfig | Mapping[str, Any] | None = None,
        num_query_tokens: int = 32,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            vision_config=vision_config,
            qformer_config=qformer_config,
            text_config=text_config,
            num_query_tokens=num_query_tokens,
            **kwargs,
        )

    def __post_init__(self) -> None:
        self.qformer_config.encoder_hidden_size = self.vision_config.hidden_size
        offered = registry.get(self.text_config.model_type).auto_classes()
        self.use_decoder_only_language_model = "AutoModelForCausalLM" in offered
        self.is_encoder_decoder = self.text_config.is_encoder_decoder

    @classmethod
    def from_vision_qformer_text_configs(
        cls,
        vision_config: PretrainedConfig,
        qformer_config: PretrainedConfig,
        text_config: PretrainedConfig | None = None,
        **kwargs: Any,
    ) -> Self:
        """A config of the parts' configs; without `text_config` the language model is an OPT."""
        return cls(
            vision_config=vision_config.to_dict(),
            qformer_config=qformer_config.to_dict(),
            text_config=None if text_config is None else text_config.to_dict(),
            **kwargs,
        )


class Blip2Config(QueryingConfig):
    """Image encoder, querying transformer and language model; the defaults are those of blip2-opt-2.7b.

    `image_text_hidden_size` is the width of the space in which images and texts are compared.
    """

    model_type = "blip-2"
    attribute_map = {"image_token_id": "image_token_index"}

    vision_config: Blip2VisionConfig = sub_config(Blip2VisionConfig)
    qformer_config: Blip2QFormerConfig = sub_config(Blip2QFormerConfig)
    image_token_index: int | None = None
    image_text_hidden_size: int = 256
