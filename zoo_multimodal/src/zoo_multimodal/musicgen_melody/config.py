"""Configurations of MusicGen Melody and its decoder."""

from __future__ import annotations

from zoo_core.config import sub_config
from zoo_multimodal.musicgen.config import MusicgenConfig, MusicgenDecoderConfig


class MusicgenMelodyDecoderConfig(MusicgenDecoderConfig):
    """Sizes and switches of the decoder."""

    model_type = "musicgen_melody_decoder"


class MusicgenMelodyConfig(MusicgenConfig):
    """As of MusicGen, with melodies of `chroma_length` frames of `num_chroma` pitches."""

    model_type = "musicgen_melody"

    decoder: MusicgenMelodyDecoderConfig = sub_config(MusicgenMelodyDecoderConfig)
    is_encoder_decoder: bool = False
    num_chroma: int = 12
    chroma_length: int = 235
