"""Processor of CLIPSeg: images, and texts or images of what is looked for."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin


class CLIPSegProcessor(ProcessorMixin):
    """A ViT image processor and a CLIP tokenizer."""

    attributes = ("image_processor", "tokenizer")

    def __call__(  # type: ignore[override]
        self, text: Any = None, images: Any = None, visual_prompt: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Ids of `text` or `conditional_pixel_values` of `visual_prompt`, and pixels of `images`.

        Args:
            text: one or a list. images: one or a list. visual_prompt: an image for each, instead of a text.
            **kwargs: see `ProcessorMixin`.
        """
        if text is not None and visual_prompt is not None:
            raise ProcessingError("pass text or visual_prompt, not both")
        if visual_prompt is None:
            return super().__call__(images=images, text=text, **kwargs)
        groups = self.route(kwargs)
        options = groups["images_kwargs"]
        found = dict(self.image_processor(images, **options)) if images is not None else {}
        prompt = self.image_processor(visual_prompt, **options)
        return BatchFeature({**found, "conditional_pixel_values": prompt["pixel_values"]})
