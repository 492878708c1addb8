"""Processors of the BLIP family: images and texts in one call, with a place for each query in the text."""

from __future__ import annotations

from typing import Any, ClassVar

from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_core.processing.placeholders import text_list


class Blip2Processor(ProcessorMixin):
    """A BLIP image processor and a tokenizer.

    num_query_tokens: with images, that many of `image_token` stand before each text.
    """

    attributes = ("image_processor", "tokenizer")
    defaults = {"text_kwargs": {"add_special_tokens": True, "padding": False, "stride": 0}}
    image_token: ClassVar[str] = "<image>"
    num_query_tokens: int | None = None

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:
        """Pixels of `images`, and ids of `text` (one or a list) behind the placeholders of its image.

        `max_length` leaves room for the placeholders, with an image or without.
        """
        if text is None:
            return super().__call__(images=images, **kwargs)
        groups = self.route(kwargs)
        texts = text_list(text)
        options = groups["text_kwargs"]
        kind = options.pop("return_tensors", None)
        found = BatchFeature(self.encode(texts, options, placeholders=images is not None), kind)
        if images is not None:
            found.update(self.image_processor(images, **groups["images_kwargs"]))
        return found

    def encode(self, texts: list[str], options: dict[str, Any], *, placeholders: int) -> dict[str, Any]:
        """Ids and masks of texts, before all special tokens with the placeholders of so many images."""
        count = self.num_query_tokens or 0
        if options.get("max_length") is not None:
            options = {**options, "max_length": options["max_length"] - count}
        encoded = dict(self.tokenizer(texts, **options))
        if not placeholders or not count:
            return encoded
        first = self.tokenizer(self.image_token * (count * placeholders), add_special_tokens=False)
        return {
            name: [[*first[name], *row] for row in rows] for name, rows in encoded.items() if name in first
        }
