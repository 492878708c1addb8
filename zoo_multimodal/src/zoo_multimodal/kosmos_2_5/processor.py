"""Processor of KOSMOS-2.5: a page before each text."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin

BEFORE, FEATURE, BEHIND = [0, -1], 1, [-1]
"""In the mask of places: a token and the mark before the features, the features, and the mark behind them."""


class Kosmos2_5Processor(ProcessorMixin):
    """An image processor and a tokenizer."""

    attributes = ("image_processor", "tokenizer")
    defaults = {
        "images_kwargs": {"max_patches": 4096},
        "text_kwargs": {"return_token_type_ids": False},
        "common_kwargs": {"return_tensors": "pt"},
    }

    def __call__(  # type: ignore[override]
        self, images: Any = None, text: Any = None, *, num_image_tokens: int = 2048, **kwargs: Any
    ) -> BatchFeature:
        """Patches of pages, and ids of texts behind as many places as a page has features.

        Args:
            images: a page for each text. text: a prompt such as "<ocr>" or "<md>", or several.
            num_image_tokens: features of a page. **kwargs: see `ProcessorMixin`.

        Raises:
            ProcessingError: no pages, or another number of texts.
        """
        if images is None:
            raise ProcessingError("Kosmos2_5Processor needs images, a page for each text")
        groups = self.route(kwargs)
        found = dict(self.image_processor(images, **groups["images_kwargs"]))
        for name in ("rows", "cols"):
            found.pop(name, None)
        if text is None:
            return BatchFeature(found)
        texts = [text] if isinstance(text, str) else list(text)
        if len(texts) != len(found["flattened_patches"]):
            raise ProcessingError(f"{len(texts)} texts came with {len(found['flattened_patches'])} pages")
        found.pop("attention_mask", None)  # the patches' own; the text's takes its name
        place = self.mark("image_token", "<s>")
        start, end = self.mark("boi_token", "<image>"), self.mark("eoi_token", "</image>")
        page = f"{self.tokenizer.bos_token or ''}{start}{place * num_image_tokens}{end}"
        options = dict(groups["text_kwargs"])
        tensors = options.pop("return_tensors", None)
        encoded = dict(self.tokenizer([page + one for one in texts], **options))
        places = BEFORE + [FEATURE] * num_image_tokens + BEHIND
        masks = []
        for seen in encoded["attention_mask"]:
            pads = next((i for i, one in enumerate(seen) if one), 0)
            masks.append([0] * pads + places + [0] * (len(seen) - pads - len(places)))
        mask = encoded.pop("attention_mask")
        data = {
            "flattened_patches": found.pop("flattened_patches"),
            "attention_mask": mask,
            **found,
            **encoded,
            "image_embeds_position_mask": masks,
        }
        return BatchFeature(data) if tensors is None else BatchFeature(data).convert_to_tensors(tensors)

    def mark(self, name: str, default: str) -> str:
        """A token that the tokenizer names."""
        return str(getattr(self.tokenizer, name, None) or default)
