"""Configuration of a text encoder joined with a text decoder."""

from __future__ import annotations

from zoo_core.config.joined import JoinedConfig


class EncoderDecoderConfig(JoinedConfig):
    """The configs of both sides."""

    model_type = "encoder-decoder"
