"""Configuration of an image encoder joined with a text decoder."""

from __future__ import annotations

from zoo_core.config.joined import JoinedConfig


class VisionEncoderDecoderConfig(JoinedConfig):
    """The configs of both sides."""

    model_type = "vision-encoder-decoder"
