"""Processor of Emu3: an image's mark becomes its size and placeholders; prompts of images to be drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_core.processing.placeholders import text_list
from zoo_multimodal.media_text import MediaTextProcessor

CODE = 8
"""Pixels along a side that one code covers."""


class Emu3Processor(MediaTextProcessor):
    """An image processor and a tokenizer that names the tokens around images."""

    attributes = ("image_processor", "tokenizer")

    @property
    def image_token(self) -> str:
        """The mark of an image and the placeholder of a code."""
        return str(self.tokenizer.image_token)

    def __call__(  # type: ignore[override]
        self,
        images: Any = None,
        text: Any = None,
        *,
        return_for_image_generation: bool = False,
        ratio: str = "1:1",
        image_area: int = 518400,
        **kwargs: Any,
    ) -> BatchFeature:
        """As the base's.

        Args:
            return_for_image_generation: texts are prompts of images to be drawn; ``image_sizes`` (texts, 2)
                are then rows and columns of codes.
            ratio: "width:height" of images to be drawn. image_area: their pixels.
        """
        texts = text_list(text)
        groups = self.route(kwargs)
        bos, start = str(self.tokenizer.bos_token), str(self.tokenizer.boi_token)
        if not return_for_image_generation:
            if images is not None:
                texts = [bos + one for one in texts]
            return super().__call__(images, texts, **groups)
        if images is not None:
            raise ProcessingError("return_for_image_generation=True is for prompts without images")
        height, width = self.calculate_generate_size(ratio, image_area, CODE)
        wrapper = str(self.tokenizer.image_wrapper_token)
        texts = [f"{bos}{one}{start}{height}*{width}{wrapper}" for one in texts]
        found = self.encode(texts, groups["text_kwargs"])
        sizes = BatchFeature(
            {"image_sizes": [[height, width]] * len(texts)}, groups["text_kwargs"].get("return_tensors")
        )
        return BatchFeature({**found, **sizes})

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        tokens, new = self.tokenizer, []
        for size in found["image_sizes"]:
            rows, columns = int(size[0]) // CODE, int(size[1]) // CODE
            codes = self.image_token * (rows * (columns + 1))  # each row has an end
            inside = f"{rows}*{columns}{tokens.image_wrapper_token}{codes}{tokens.eof_token}"
            new.append(f"{tokens.boi_token}{inside}{tokens.eoi_token}")
        return list(new)

    def calculate_generate_size(self, ratio: str, image_area: int, spatial_factor: int) -> tuple[int, int]:
        """Rows and columns of codes of an image to be drawn.

        Raises:
            ProcessingError: the ratio is not "width:height".
        """
        try:
            width, height = (int(side) for side in ratio.split(":"))
            scale = math.sqrt(image_area / (width * height))
        except (AttributeError, ValueError, ZeroDivisionError):
            raise ProcessingError(f'ratio={ratio!r} must be "width:height", such as "4:3"') from None
        return round(height * scale / spatial_factor), round(width * scale / spatial_factor)

    def postprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """What the model drew, see `Emu3ImageProcessor.postprocess`."""
        return self.require("images").postprocess(images, **kwargs)
