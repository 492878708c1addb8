"""Processor of TrOCR: pictures of text, and the text that they show."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import BatchFeature, ProcessorMixin


class TrOCRProcessor(ProcessorMixin):
    """Any image processor and any tokenizer; with images, the texts' ids are the `labels`."""

    attributes = ("image_processor", "tokenizer")

    @property
    def model_input_names(self) -> list[str]:
        return [*self.image_processor.model_input_names, "labels"]

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, audio: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As `ProcessorMixin`; images and texts together give `pixel_values` and `labels`."""
        batch = super().__call__(images, text, videos, audio, **kwargs)
        if images is not None and text is not None:
            batch["labels"] = batch.pop("input_ids")
            for name in self.tokenizer.model_input_names:
                batch.pop(name, None)
        return batch
