"""Processor of Nougat: pages in, Markdown out (https://arxiv.org/abs/2308.13418)."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin


class NougatProcessor(ProcessorMixin):
    """An image processor and a tokenizer."""

    attributes = ("image_processor", "tokenizer")

    def __call__(  # type: ignore[override]
        self, images: Any = None, text: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Pages to `pixel_values`, texts as the tokenizer does; of both the ids are the `labels`.

        Raises:
            ProcessingError: there is neither.
        """
        if images is None and text is None:
            raise ProcessingError("You need to specify either an `images` or `text` input to process.")
        found = super().__call__(images, text, **kwargs)
        if images is None or text is None:
            return found
        return BatchFeature({"pixel_values": found["pixel_values"], "labels": found["input_ids"]})

    def post_process_generation(self, *args: Any, **kwargs: Any) -> str | list[str]:
        """Tidy generated pages; see `NougatTokenizer.post_process_generation`."""
        return self.tokenizer.post_process_generation(*args, **kwargs)
