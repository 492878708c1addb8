"""Processor of InstructBLIP for videos."""

from __future__ import annotations

from typing import Any, ClassVar

from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_core.processing.placeholders import text_list
from zoo_multimodal.instructblip.processor import InstructBlipProcessor


class InstructBlipVideoProcessor(InstructBlipProcessor):
    """A video processor and two tokenizers.

    num_query_tokens: with videos, that many of `<video>` stand before each text for each frame.
    """

    attributes = ("video_processor", "tokenizer", "qformer_tokenizer")
    defaults = {"text_kwargs": {"padding": False, "stride": 0, "return_token_type_ids": False}}
    image_token: ClassVar[str] = "<video>"

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Pixels of videos, given as `images` or `videos`, and ids of texts behind their placeholders."""
        clips = images if videos is None else videos
        if clips is None:
            return super().__call__(text=text, **kwargs)
        if text is None:
            return ProcessorMixin.__call__(self, videos=clips, **kwargs)
        groups = self.route(kwargs)
        pixels = self.video_processor(clips, **groups["videos_kwargs"])
        options = groups["text_kwargs"]
        kind = options.pop("return_tensors", None)
        texts = text_list(text)
        frames = len(pixels["pixel_values"][0])
        found = BatchFeature(self.encode(texts, options, placeholders=frames), kind)
        found.update(pixels)
        return found
