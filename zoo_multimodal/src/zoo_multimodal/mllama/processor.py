"""Processor of Mllama: which words see which tiles of which image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin


def spans(ids: Sequence[int], image_token: int) -> list[tuple[int, int]]:
    """For each image the first word that sees it and the end: the next image, or the text's end.

    Images that follow each other directly are seen by the same words.
    """
    places = [i for i, one in enumerate(ids) if one == image_token]
    ends = [*places[1:], len(ids)][: len(places)]
    for i in range(len(places) - 2, -1, -1):
        if places[i] + 1 == places[i + 1]:
            ends[i] = ends[i + 1]
    return list(zip(places, ends, strict=True))


class MllamaProcessor(ProcessorMixin):
    """An image processor and a tokenizer with the mark of images."""

    attributes = ("image_processor", "tokenizer")

    @property
    def image_token(self) -> str:
        """The mark of an image in a text."""
        return str(getattr(self.tokenizer, "image_token", None) or "<|image|>")

    def begun(self, text: str) -> str:
        """A text with its start token, which stands behind the images that it begins with."""
        start, mark = self.tokenizer.bos_token or "", self.image_token
        if start and start in text:
            return text
        rest = text
        while rest.startswith(mark):
            rest = rest[len(mark) :]
        return f"{text[: len(text) - len(rest)]}{start}{rest}"

    def __call__(self, images: Any = None, text: Any = None, **kwargs: Any) -> BatchFeature:  # type: ignore[override]
        """Pixels of `images` in tiles, ids of `text`, and `cross_attention_mask` between them.

        Args:
            images: one, a list for one text, or a list for each text. text: one or a list, in which
                "<|image|>" stands for each image.
            **kwargs: see `ProcessorMixin`.

        Raises:
            ProcessingError: a text has another number of marks than images.
        """
        if text is None:
            return super().__call__(images=images, **kwargs)
        groups = self.route(kwargs)
        texts = [text] if isinstance(text, str) else list(text)
        counts = [one.count(self.image_token) for one in texts]
        found: dict[str, Any] = {}
        tiles: list[list[int]] = []
        if images is not None:
            samples = self.dealt(images, counts)
            found = dict(self.image_processor(samples, **groups["images_kwargs"]))
            tiles = found.pop("num_tiles")
        elif any(counts):
            raise ProcessingError(f"the texts have {counts} {self.image_token!r}, and no images were given")
        options = dict(groups["text_kwargs"])
        tensors = options.pop("return_tensors", None)
        encoded = self.tokenizer([self.begun(one) for one in texts], **options)
        if tiles:
            found["cross_attention_mask"] = self.seen(encoded["input_ids"], tiles)
        data = BatchFeature({**encoded, **found})
        return data if tensors is None else data.convert_to_tensors(tensors)

    def dealt(self, images: Any, counts: list[int]) -> list[list[Any]]:
        """Images by text; a flat list goes to the texts by their marks."""
        if not isinstance(images, list | tuple):
            images = [images]
        if images and isinstance(images[0], list | tuple):
            samples = [list(one) for one in images]
        else:
            left = list(images)
            if len(left) != sum(counts):
                raise ProcessingError(
                    f"the texts have {sum(counts)} {self.image_token!r} and {len(left)} images were given; "
                    "the numbers must agree"
                )
            samples = [[left.pop(0) for _ in range(count)] for count in counts]
        given = [len(one) for one in samples]
        if given != counts:
            raise ProcessingError(f"the texts have {counts} {self.image_token!r} for {given} images")
        return samples

    def seen(self, ids: list[list[int]], tiles: list[list[int]]) -> np.ndarray:
        """(texts, words, images, tiles) int64: 1 where a word sees a tile."""
        mark = self.tokenizer.convert_tokens_to_ids(self.image_token)
        shape = len(ids), max(map(len, ids)), max(map(len, tiles)), self.image_processor.max_image_tiles
        mask = np.zeros(shape, dtype=np.int64)
        for row, (words, used) in enumerate(zip(ids, tiles, strict=True)):
            for image, ((start, end), count) in enumerate(zip(spans(words, mark), used, strict=False)):
                mask[row, start:end, image, :count] = 1
        return mask
