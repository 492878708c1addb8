"""Processor of LLaVA: each image mark in the text becomes as many placeholders as the image has features."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_core.processing.placeholders import expand_placeholders, share_out


class LlavaProcessor(ProcessorMixin):
    """An image processor and a tokenizer.

    patch_size: of the vision tower. vision_feature_select_strategy: "default" leaves out the class token.
    num_additional_image_tokens: features of an image besides those of its patches, such as the class token.
    image_token: the mark in the text.
    """

    attributes = ("image_processor", "tokenizer")
    patch_size: int | None = None
    vision_feature_select_strategy: str | None = None
    image_token: str = "<image>"
    num_additional_image_tokens: int = 0

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:
        """Pixels of `images` (one, a list, or a list for each text), and ids of `text` with placeholders.

        Raises:
            ProcessingError: the marks in the texts and the images do not agree in number.
        """
        if images is None or text is None:
            return super().__call__(images=images, text=text, **kwargs)
        groups = self.route(kwargs)
        pixels = self.image_processor(images, **groups["images_kwargs"])
        texts = [text] if isinstance(text, str) else list(text)
        counts = [self.placeholders_of(image) for image in pixels["pixel_values"]]
        expanded = expand_placeholders(texts, self.image_token, share_out(counts, texts, self.image_token))
        return BatchFeature({**self.tokenizer(expanded, **groups["text_kwargs"]), **pixels})

    def placeholders_of(self, image: Any) -> int:
        """Features that the model will make of a processed image (channels, height, width)."""
        if self.patch_size is None:
            raise ProcessingError(
                "processor.patch_size is None, so placeholders cannot be counted; set it to the vision "
                "tower's (model.config.vision_config.patch_size) and save the processor"
            )
        height, width = image.shape[-2:]
        count = (height // self.patch_size) * (width // self.patch_size) + self.num_additional_image_tokens
        return int(count) - (self.vision_feature_select_strategy == "default")
