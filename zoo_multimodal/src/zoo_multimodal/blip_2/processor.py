"""Processors of the BLIP family: images and texts in one call, with a place for each query in the text."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import BatchFeature, ProcessorMixin


class Blip2Processor(ProcessorMixin):
    """A BLIP image processor and a tokenizer.

    num_query_tokens: with images, that many of `image_token` stand before each text.
    """

    attributes = ("image_processor", "tokenizer")
    defaults = {"text_kwargs": {"add_special_tokens": True, "padding": False, "stride": 0}}
    num_query_tokens: int | None = None
    image_token: str = "<image>"

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:
        """Pixels of `images`, and ids of `text` behind the placeholders of its image."""
        if text is None:
            return super().__call__(images=images, **kwargs)
        groups = self.route(kwargs)
        found = dict(self.encode(text, groups["text_kwargs"], placeholders=images is not None))
        if images is not None:
            found.update(self.image_processor(images, **groups["images_kwargs"]))
        return BatchFeature(found)

    def encode(self, text: Any, options: dict[str, Any], *, placeholders: bool) -> dict[str, Any]:
        """Ids and masks of a text or several."""
        return encode_behind(
            self.tokenizer, text, options, self.image_token * (self.num_query_tokens or 0) * placeholders
        )


def encode_behind(tokenizer: Any, text: Any, options: dict[str, Any], prefix: str) -> dict[str, Any]:
    """`text` encoded with its special tokens, and the tokens of `prefix` before all of them.

    `max_length` counts the prefix.
    """
    if not prefix:
        return dict(tokenizer(text, **options))
    kind = options.pop("return_tensors", None)
    first = tokenizer(prefix, add_special_tokens=False)
    length = len(first["input_ids"])
    if options.get("max_length") is not None:
        options["max_length"] -= length
    single = isinstance(text, str)
    encoded = tokenizer([text] if single else list(text), **options)
    joined = {name: [[*first[name], *row] for row in rows] for name, rows in encoded.items() if name in first}
    if single and kind is None:
        return {name: rows[0] for name, rows in joined.items()}
    return dict(BatchFeature(joined, tensor_type=kind))
