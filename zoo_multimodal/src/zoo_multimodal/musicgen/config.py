"""Configurations of MusicGen and its decoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from zoo_core.config import PretrainedConfig, sub_config


class MusicgenDecoderConfig(PretrainedConfig):
    """Sizes and switches of the decoder; the defaults are those of musicgen-small."""

    model_type = "musicgen_decoder"
    base_config_key = "decoder"

    vocab_size: int = 2048
    max_position_embeddings: int = 2048
    num_hidden_layers: int = 24
    ffn_dim: int = 4096
    num_attention_heads: int = 16
    layerdrop: float = 0.0
    use_cache: bool = True
    activation_function: str = "gelu"
    hidden_size: int = 1024
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    initializer_factor: float = 0.02
    scale_embedding: bool = False
    num_codebooks: int = 4
    audio_channels: int = 1
    pad_token_id: int | None = 2048
    bos_token_id: int | None = 2048
    eos_token_id: int | list[int] | None = None
    tie_word_embeddings: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if self.audio_channels not in (1, 2):
            yield "audio_channels", "must be 1 (mono) or 2 (stereo)"
        elif self.num_codebooks < 1 or self.num_codebooks % self.audio_channels:
            yield "num_codebooks", f"must divide into {self.audio_channels} channels"


class MusicgenConfig(PretrainedConfig):
    """A text encoder and a codec of any registered types, and the decoder between them."""

    model_type = "musicgen"

    text_encoder: PretrainedConfig = sub_config(None)
    audio_encoder: PretrainedConfig = sub_config(None)
    decoder: MusicgenDecoderConfig = sub_config(MusicgenDecoderConfig)
    is_encoder_decoder: bool = True
    initializer_factor: float = 0.02

    def check(self) -> Iterator[tuple[str, str]]:
        for part in ("text_encoder", "audio_encoder"):
            if getattr(self, part) is None:
                yield part, f"must be given; use from_sub_models_config, or pass {part}={{...}}"

    @classmethod
    def from_sub_models_config(
        cls,
        text_encoder_config: PretrainedConfig,
        audio_encoder_config: PretrainedConfig,
        decoder_config: PretrainedConfig,
        **kwargs: Any,
    ) -> Self:
        """A config of the parts' configs."""
        return cls(
            text_encoder=text_encoder_config.to_dict(),
            audio_encoder=audio_encoder_config.to_dict(),
            decoder=decoder_config.to_dict(),
            **kwargs,
        )

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> PretrainedConfig:
        """The text encoder's config where that is asked for, else the decoder's."""
        return self.text_encoder if encoder and not decoder else self.decoder

    @property
    def sampling_rate(self) -> int:
        """Samples a second of the sound that is made."""
        return int(self.audio_encoder.sampling_rate)
