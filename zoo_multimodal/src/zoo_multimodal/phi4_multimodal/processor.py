"""Processor of Phi-4-multimodal: a placeholder for each feature of an image or a sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_multimodal.media_text import MediaTextProcessor


class Phi4MultimodalProcessor(MediaTextProcessor):
    """An image processor, a feature extractor, and a tokenizer with `image_token` and `audio_token`."""

    marks_need_media = True
    attributes = ("image_processor", "audio_processor", "tokenizer")

    @property
    def image_token(self) -> str:
        """The mark and placeholder of images."""
        return str(getattr(self.tokenizer, "image_token", None) or "<|endoftext10|>")

    @property
    def audio_token(self) -> str:
        """The mark and placeholder of sounds."""
        return str(getattr(self.tokenizer, "audio_token", None) or "<|endoftext11|>")

    def __call__(  # type: ignore[override]
        self, text: Any = None, images: Any = None, audio: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As the base's; images and audio come with a text."""
        if text is None:
            raise ProcessingError(
                "Phi4MultimodalProcessor needs text; its components take images or audio alone"
            )
        return super().__call__(images=images, text=text, audio=audio, **kwargs)

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        counts = found.pop("num_img_tokens") if kind == "images" else found["audio_embed_sizes"]
        return [int(count) for count in counts]
