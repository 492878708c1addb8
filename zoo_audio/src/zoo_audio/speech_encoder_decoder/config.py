"""Configuration of a speech encoder joined with a text decoder."""

from __future__ import annotations

from zoo_core.config.joined import JoinedConfig


class SpeechEncoderDecoderConfig(JoinedConfig):
    """The configs of both sides."""

    model_type = "speech-encoder-decoder"
