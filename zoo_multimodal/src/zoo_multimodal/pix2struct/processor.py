"""Processor of Pix2Struct: pictures as patches, and texts that are drawn above them or written on."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import BatchFeature, ProcessorMixin


class Pix2StructProcessor(ProcessorMixin):
    """A Pix2Struct image processor and a T5 tokenizer."""

    attributes = ("image_processor", "tokenizer")

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:
        """Patches of `images`, with `text` as the decoder's first tokens.

        With the image processor's `is_vqa` the text is a question, and drawn above its picture instead.
        Text alone is tokenized.
        """
        if images is None:
            return super().__call__(text=text, **kwargs)
        groups = self.route(kwargs)
        options = groups["images_kwargs"]
        drawn = options.get("is_vqa", self.image_processor.is_vqa)
        if drawn and text is not None:
            options.setdefault("header_text", text)
        found = dict(self.image_processor(images, **options))
        if text is not None and not drawn:
            encoded = self.tokenizer(text, **groups["text_kwargs"])
            found |= {f"decoder_{name}": encoded[name] for name in ("attention_mask", "input_ids")}
        return BatchFeature(found)

    @property
    def model_input_names(self) -> list[str]:
        """Names of what a call with pictures may return."""
        return [*self.image_processor.model_input_names, "decoder_attention_mask", "decoder_input_ids"]
