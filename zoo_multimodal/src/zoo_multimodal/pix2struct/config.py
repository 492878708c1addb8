"""Configurations of Pix2Struct and its parts."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from zoo_core.config import PretrainedConfig, sub_config


class Pix2StructTextConfig(PretrainedConfig):
    """Sizes and switches of the decoder, a T5's."""

    model_type = "pix2struct_text_model"
    base_config_key = "text_config"
    attribute_map = {
        "d_model": "hidden_size",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
        "decoder_attention_heads": "num_heads",
        "encoder_attention_heads": "num_heads",
        "encoder_layers": "num_layers",
        "decoder_layers": "num_layers",
        "num_decoder_layers": "num_layers",
    }
    is_gated_act: ClassVar[bool] = True

    vocab_size: int = 50244
    hidden_size: int = 768
    d_kv: int = 64
    d_ff: int = 2048
    num_layers: int = 12
    num_heads: int = 12
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    dropout_rate: float = 0.1
    layer_norm_epsilon: float = 1e-6
    initializer_factor: float = 1.0
    dense_act_fn: str = "gelu_new"
    decoder_start_token_id: int | None = 0
    use_cache: bool = False
    pad_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1
    tie_word_embeddings: bool = False
    is_decoder: bool = True


class Pix2StructVisionConfig(PretrainedConfig):
    """Sizes and switches of the encoder.

    Args:
        patch_embed_hidden_size: values of a patch. seq_len: rows, and columns, that have embeddings.
    """

    model_type = "pix2struct_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 768
    patch_embed_hidden_size: int = 768
    d_ff: int = 2048
    d_kv: int = 64
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    dense_act_fn: str = "gelu_new"
    layer_norm_eps: float = 1e-6
    dropout_rate: float = 0.0
    attention_dropout: float = 0.0
    initializer_range: float = 1e-10
    initializer_factor: float = 1.0
    seq_len: int = 4096
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128


class Pix2StructConfig(PretrainedConfig):
    """Encoder and decoder; special tokens are the decoder's.

    Args:
        is_vqa: whether the checkpoint reads questions that are drawn above the picture.
    """

    model_type = "pix2struct"

    text_config: Pix2StructTextConfig = sub_config(Pix2StructTextConfig)
    vision_config: Pix2StructVisionConfig = sub_config(Pix2StructVisionConfig)
    initializer_factor: float = 1.0
    initializer_range: float = 0.02
    is_vqa: bool = False
    tie_word_embeddings: bool = False
    is_encoder_decoder: bool = True

    def __post_init__(self) -> None:
        text = self.text_config
        self.decoder_start_token_id = text.decoder_start_token_id
        self.pad_token_id, self.eos_token_id = text.pad_token_id, text.eos_token_id
        self.vision_config.initializer_range = self.initializer_range

    @classmethod
    def from_text_vision_configs(
        cls, text_config: PretrainedConfig, vision_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """A config of both parts' configs."""
        return cls(text_config=text_config.to_dict(), vision_config=vision_config.to_dict(), **kwargs)
