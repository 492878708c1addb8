"""Processor of LLaVA-NeXT: each image mark becomes as many placeholders as its tiles have features."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_core.processing.placeholders import expand_placeholders, share_out
from zoo_multimodal.llava.processor import LlavaProcessor
from zoo_multimodal.llava_next.geometry import features_of


class LlavaNextProcessor(LlavaProcessor):
    """As of LLaVA, for images cut into tiles."""

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:
        """Tiles of `images` (one, a list, or a list for each text), and ids of `text` with placeholders.

        Raises:
            ProcessingError: the marks in the texts and the images do not agree in number.
        """
        if images is None or text is None:
            return super().__call__(images=images, text=text, **kwargs)
        groups = self.route(kwargs)
        pixels = self.image_processor(images, **groups["images_kwargs"])
        texts = [text] if isinstance(text, str) else list(text)
        edge = int(pixels["pixel_values"][0].shape[-1])
        sizes = [(int(height), int(width)) for height, width in pixels["image_sizes"]]
        counts = [self.placeholders_of_size(size, edge) for size in sizes]
        expanded = expand_placeholders(texts, self.image_token, share_out(counts, texts, self.image_token))
        return BatchFeature({**self.tokenizer(expanded, **groups["text_kwargs"]), **pixels})

    def placeholders_of_size(self, size: tuple[int, int], edge: int) -> int:
        """Features that the model will make of an image (height, width) with tiles of `edge` pixels."""
        if self.patch_size is None:
            raise ProcessingError("processor.patch_size is None; set it to the vision tower's")
        pinpoints = self.image_processor.image_grid_pinpoints
        count = features_of(size, pinpoints, tile=edge, patches=edge // self.patch_size)
        return count + self.num_additional_image_tokens - (self.vision_feature_select_strategy == "default")
