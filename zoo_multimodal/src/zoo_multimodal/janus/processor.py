"""Processor of Janus: an image's mark becomes a fixed number of placeholders between two tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_core.processing.placeholders import text_list
from zoo_multimodal.media_text import MediaTextProcessor

SYSTEM_PROMPT = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the "
    "user provides, and assist the user with a variety of tasks using natural language.\n\n"
)
"""What the model was trained to find before a conversation."""


class JanusProcessor(MediaTextProcessor):
    """An image processor and a tokenizer with `image_token`, `boi_token` and `eoi_token`.

    num_image_tokens: features of an image. use_default_system_prompt: texts begin with `SYSTEM_PROMPT`.
    """

    attributes = ("image_processor", "tokenizer")
    num_image_tokens: int = 576
    use_default_system_prompt: bool = False

    @property
    def image_token(self) -> str:
        """The mark of an image and the placeholder of a feature."""
        return str(self.tokenizer.image_token)

    def __call__(  # type: ignore[override]
        self, text: Any = None, images: Any = None, *, generation_mode: str = "text", **kwargs: Any
    ) -> BatchFeature:
        """As the base's.

        Args:
            generation_mode: "text", or "image" for prompts of images to be drawn, which end with the token
                that begins an image; what is drawn does not depend on pixels, and there are none.
        """
        if generation_mode not in ("text", "image"):
            raise ProcessingError(f'generation_mode={generation_mode!r} is neither "text" nor "image"')
        drawn = generation_mode == "image"
        if text is not None:
            before = SYSTEM_PROMPT if self.use_default_system_prompt and not drawn else ""
            after = str(self.tokenizer.boi_token) if drawn else ""
            text = [f"{before}{one}{after}" for one in text_list(text)]
        found = super().__call__(images, text, **kwargs)
        if drawn:
            found.pop("pixel_values", None)
        return found

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        marks = self.image_token * self.num_image_tokens
        return [f"{self.tokenizer.boi_token}{marks}{self.tokenizer.eoi_token}"] * len(found["pixel_values"])

    def postprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """What the model drew, see `JanusImageProcessor.postprocess`."""
        return self.require("images").postprocess(images, **kwargs)
