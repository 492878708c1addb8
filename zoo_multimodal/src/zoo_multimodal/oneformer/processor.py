"""Processor of OneFormer: the image processor's words become tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_multimodal.oneformer.image_processor import TASKS

if TYPE_CHECKING:
    import torch


class OneFormerProcessor(ProcessorMixin):
    """An image processor and CLIP's tokenizer; texts of `max_seq_length`, tasks of `task_seq_length`."""

    attributes = ("image_processor", "tokenizer")
    max_seq_length: int = 77
    task_seq_length: int = 77

    def __call__(  # type: ignore[override]
        self,
        images: Any = None,
        task_inputs: str | Sequence[str] | None = None,
        segmentation_maps: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """What the image processor returns, with `task_inputs` (images, tokens) in place of words.

        Args:
            task_inputs: of each image "semantic", "instance" or "panoptic".
            segmentation_maps: with them also `text_inputs` (images, `num_text`, tokens), for training.

        Raises:
            ProcessingError: no images, no tasks, or an unknown task.
        """
        if images is None:
            raise ProcessingError("OneFormer needs images")
        return self.tokenized(
            self.image_processor(images, self.tasks(task_inputs), segmentation_maps, **kwargs)
        )

    def encode_inputs(
        self,
        images: Any = None,
        task_inputs: str | Sequence[str] | None = None,
        segmentation_maps: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """As a call, for images that are prepared already."""
        if images is None:
            raise ProcessingError("OneFormer needs images")
        tasks = self.tasks(task_inputs)
        return self.tokenized(self.image_processor.encode_inputs(images, tasks, segmentation_maps, **kwargs))

    def tasks(self, given: str | Sequence[str] | None) -> list[str]:
        """Tasks as a list."""
        tasks = [given] if isinstance(given, str) else list(given or ())
        if not tasks or any(task not in TASKS for task in tasks):
            raise ProcessingError(f"task_inputs are {given!r}; name one of {', '.join(TASKS)} for each image")
        return tasks

    def tokenized(self, found: BatchFeature) -> BatchFeature:
        """`found` with tokens for words."""
        import torch

        if "text_inputs" in found:
            texts = [self.tokens(own, self.max_seq_length) for own in found["text_inputs"]]
            found["text_inputs"] = torch.stack(texts)
        found["task_inputs"] = self.tokens(found["task_inputs"], self.task_seq_length)
        return found

    def tokens(self, texts: Sequence[str], length: int) -> torch.Tensor:
        """(texts, length) of tokens, zeros after a text's end."""
        found = self.tokenizer(
            list(texts), padding="max_length", max_length=length, truncation=True, return_tensors="pt"
        )
        tokens: torch.Tensor = found["input_ids"] * found["attention_mask"]
        return tokens

    def post_process_semantic_segmentation(self, *args: Any, **kwargs: Any) -> Any:
        """The image processor's."""
        return self.image_processor.post_process_semantic_segmentation(*args, **kwargs)

    def post_process_instance_segmentation(self, *args: Any, **kwargs: Any) -> Any:
        """The image processor's."""
        return self.image_processor.post_process_instance_segmentation(*args, **kwargs)

    def post_process_panoptic_segmentation(self, *args: Any, **kwargs: Any) -> Any:
        """The image processor's."""
        return self.image_processor.post_process_panoptic_segmentation(*args, **kwargs)
