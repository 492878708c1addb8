"""Processor of OWL-ViT: images, and for each of them texts, or an image, of what is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin

if TYPE_CHECKING:
    import torch

    Detections = list[dict[str, Any]]


class OwlViTProcessor(ProcessorMixin):
    """An OWL-ViT image processor and a CLIP tokenizer."""

    attributes = ("image_processor", "tokenizer")
    defaults = {"text_kwargs": {"padding": "max_length"}, "common_kwargs": {"return_tensors": "np"}}

    def __call__(  # type: ignore[override]
        self, images: Any = None, text: Any = None, *, query_images: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Pixels of `images`, and ids of `text` or `query_pixel_values` of `query_images`.

        Args:
            text: one query, a list of queries for one image, or a list of queries for each image; shorter
                lists are filled up with blank queries.
            query_images: images of what is looked for, one for each image.
            **kwargs: see `ProcessorMixin`.
        """
        if images is None and text is None and query_images is None:
            raise ProcessingError("pass images, text or query_images")
        groups = self.route(kwargs)
        found: dict[str, Any] = {}
        if text is not None:
            found |= dict(self.tokenizer(self.queries(text), **groups["text_kwargs"]))
        if query_images is not None:
            found = {
                "query_pixel_values": self.image_processor(query_images, **groups["images_kwargs"])[
                    "pixel_values"
                ]
            }
        if images is not None:
            found |= dict(self.image_processor(images, **groups["images_kwargs"]))
        return BatchFeature(found)

    @staticmethod
    def queries(text: Any) -> list[str]:
        """All queries in a row, as many for each image."""
        if isinstance(text, str):
            return [text]
        if all(isinstance(one, str) for one in text):
            return list(text)
        groups: Sequence[Sequence[str]] = text
        if not all(isinstance(one, (list, tuple)) for one in groups):
            raise ProcessingError("text must be a string, a list of strings, or a list of lists of strings")
        most = max(map(len, groups))
        return [query for group in groups for query in (*group, *[" "] * (most - len(group)))]

    def post_process_object_detection(
        self, outputs: Any, threshold: float = 0.1, target_sizes: Any = None
    ) -> Detections:
        """See the image processor's."""
        return self.image_processor.post_process_object_detection(outputs, threshold, target_sizes)

    def post_process_grounded_object_detection(
        self,
        outputs: Any,
        threshold: float = 0.1,
        target_sizes: Any = None,
        text_labels: Sequence[Sequence[str]] | None = None,
    ) -> Detections:
        """As `post_process_object_detection`, with the query of each box as `text_labels`.

        Args:
            text_labels: the queries of each image.
        """
        found = self.post_process_object_detection(outputs, threshold, target_sizes)
        if text_labels is not None and len(text_labels) != len(found):
            raise ProcessingError(
                f"{len(found)} images came with {len(text_labels)} lists of text_labels; give one for each"
            )
        for i, one in enumerate(found):
            labels: torch.Tensor = one["labels"]
            one["text_labels"] = None if text_labels is None else [text_labels[i][int(n)] for n in labels]
        return found

    def post_process_image_guided_detection(
        self, outputs: Any, threshold: float = 0.0, nms_threshold: float = 0.3, target_sizes: Any = None
    ) -> Detections:
        """See the image processor's."""
        return self.image_processor.post_process_image_guided_detection(
            outputs, threshold, nms_threshold, target_sizes
        )
