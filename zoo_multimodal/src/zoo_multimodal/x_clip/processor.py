"""Processor of X-CLIP: videos, as lists of frames, and texts in one call."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import ProcessorMixin


class XCLIPProcessor(ProcessorMixin):
    """A VideoMAE image processor and a CLIP tokenizer."""

    attributes = ("image_processor", "tokenizer")

    def component(self, kind: str) -> Any:
        """As of the base; videos go to the image processor, whether given as `images` or as `videos`."""
        return super().component("images" if kind == "videos" else kind)
