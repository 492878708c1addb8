"""Processor of GOT-OCR 2.0, which writes the prompt that asks for an image's text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin

SYSTEM = "system\nYou should follow the instructions carefully and explain your answers in detail."


class GotOcr2Processor(ProcessorMixin):
    """An image processor and a tokenizer."""

    attributes = ("image_processor", "tokenizer")

    def __call__(  # type: ignore[override]
        self,
        images: Any = None,
        text: Any = None,
        *,
        format: bool = False,
        box: Any = None,
        color: Any = None,
        multi_page: bool = False,
        num_image_tokens: int = 256,
        **kwargs: Any,
    ) -> BatchFeature:
        """Pixels of `images`, and ids of the prompts that ask for their text.

        Args:
            images: one, a list, or, with `multi_page`, a list of pages for each prompt (or of one prompt).
            text: prompts in place of the usual ones; their placeholders are left as they are.
            format: ask for formatted text.
            box: [x1, y1, x2, y2] in pixels, or one for each prompt: what to read of the image.
            color: of a frame drawn into the image, or one for each prompt: what to read of the image.
            multi_page: ask for the text across several images.
            num_image_tokens: features of an image or of a tile.
            **kwargs: see `ProcessorMixin`.

        Raises:
            ProcessingError: no images, or boxes or colours in another number than prompts.
        """
        if images is None:
            raise ProcessingError("GotOcr2Processor needs images: it asks for their text")
        groups = self.route(kwargs)
        pages = pages_of(images, multi_page=multi_page)
        found = dict(self.image_processor([one for each in pages for one in each], **groups["images_kwargs"]))
        counts = [int(count) for count in found.pop("num_patches")]
        crop = groups["images_kwargs"].get("crop_to_patches", self.image_processor.crop_to_patches)
        if text is None:
            boxes, colors = one_each(box, len(pages), inner=4), one_each(color, len(pages))
            text, start = [], 0
            for each, corners, name in zip(pages, boxes, colors, strict=True):
                tiles, start = sum(counts[start : start + len(each)]), start + len(each)
                ask = "" if name is None else f"[{name}] "
                ask += "" if corners is None else str(thousandths(corners, each[0]))
                ask += f" OCR{' with format' * format}{' across multi pages' * multi_page}"
                ask += " upon the patch reference" * bool(crop)
                text.append(self.prompt(ask, tiles * num_image_tokens))
        return BatchFeature({**self.tokenizer(text, **groups["text_kwargs"]), **found})

    def prompt(self, ask: str, placeholders: int) -> str:
        """A conversation that asks for the text of an image of so many features."""
        image = f"<img>{'<imgpad>' * placeholders}</img>\n"
        return (
            f"<|im_start|>{SYSTEM}<|im_end|><|im_start|>user\n{image}{ask}: <|im_end|><|im_start|>assistant\n"
        )


def pages_of(images: Any, *, multi_page: bool) -> list[list[Any]]:
    """The images of each prompt."""
    given = list(images) if isinstance(images, (list, tuple)) else [images]
    if given and isinstance(given[0], (list, tuple)):
        return [list(pages) for pages in given]
    return [given] if multi_page else [[image] for image in given]


def one_each(value: Any, prompts: int, *, inner: int = 0) -> list[Any]:
    """A value for each prompt, of one for all or a list; `inner` is the length of one that is a list."""
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    if not listed or (inner and value and not isinstance(value[0], Sequence)):
        return [value] * prompts
    if len(value) != prompts:
        raise ProcessingError(f"{len(value)} boxes or colours came for {prompts} prompts; pass one for each")
    return list(value)


def thousandths(box: Sequence[float], image: Any) -> list[int]:
    """A box in pixels as thousandths of the image's width and height."""
    from zoo_vision.processing.picture import open_picture

    height, width = open_picture(image).size
    sides = (width, height, width, height)
    return [int(place / side * 1000) for place, side in zip(box, sides, strict=True)]
