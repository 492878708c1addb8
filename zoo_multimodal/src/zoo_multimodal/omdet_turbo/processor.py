"""Processor of OmDet-Turbo: images, the classes that each is searched for, and the task, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin


class OmDetTurboProcessor(ProcessorMixin):
    """A DETR image processor and a CLIP tokenizer."""

    attributes = ("image_processor", "tokenizer")
    defaults = {"text_kwargs": {"padding": "max_length", "truncation": True, "max_length": 77}}

    def __call__(  # type: ignore[override]
        self, images: Any = None, text: Any = None, *, task: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Pixels of `images`, and ids of what to find in them.

        Args:
            text: a class, a list of classes for one image, or a list of classes for each image.
            task: what to do, for all images or one for each; "Detect a cat, a dog." unless given.
            **kwargs: see `ProcessorMixin`.

        Raises:
            ProcessingError: images or classes are missing, or not as many of the one as of the other.
        """
        if images is None or text is None:
            raise ProcessingError(
                "OmDetTurboProcessor needs both images and text, the classes to find in them"
            )
        import torch

        groups = self.route(kwargs)
        task = groups["text_kwargs"].pop("task", None) or task
        classes = class_lists(text)
        pixels = dict(self.image_processor(images, **groups["images_kwargs"]))
        tasks = (
            [f"Detect {', '.join(names)}." for names in classes]
            if task is None
            else [task] * len(classes)
            if isinstance(task, str)
            else list(task)
        )
        counts = {
            "images": len(pixels["pixel_values"]),
            "lists of classes": len(classes),
            "tasks": len(tasks),
        }
        if len(set(counts.values())) > 1:
            seen = ", ".join(f"{count} {name}" for name, count in counts.items())
            raise ProcessingError(f"{seen}: give as many of each")
        found: dict[str, Any] = {}
        every = [name for names in classes for name in names]
        for kind, texts in (("tasks", tasks), ("classes", every)):
            encoded = self.tokenizer(texts, **groups["text_kwargs"])
            found |= {f"{kind}_{name}": encoded[name] for name in ("input_ids", "attention_mask")}
        found["classes_structure"] = torch.tensor([len(names) for names in classes])
        return BatchFeature(found | pixels)

    @property
    def model_input_names(self) -> list[str]:
        texts = [
            f"{kind}_{name}" for kind in ("classes", "tasks") for name in ("input_ids", "attention_mask")
        ]
        return [*texts, "classes_structure", *self.image_processor.model_input_names]

    def post_process_grounded_object_detection(
        self,
        outputs: Any,
        text_labels: Sequence[str] | Sequence[Sequence[str]] | None = None,
        threshold: float = 0.3,
        nms_threshold: float = 0.5,
        target_sizes: Any = None,
        max_num_det: int | None = None,
    ) -> list[dict[str, Any]]:
        """Boxes, of which none overlaps a better one of its class.

        Args:
            outputs: of the detector. text_labels: the classes of each image.
            threshold: lowest score. nms_threshold: the most by which boxes of a class may overlap.
            target_sizes: (height, width) per image, by default the size that images were made.
            max_num_det: how many pairs of query and class are considered, by default as many as queries.

        Returns:
            Per image `boxes` as corners (x0, y0, x1, y1) within the image, `scores`, `labels`, and what these
            are called as `text_labels`.
        """
        import torch

        from zoo_vision.processing import boxes as found_boxes

        logits, counts = outputs.decoder_class_logits, outputs.classes_structure.tolist()
        names = None if text_labels is None else class_lists(text_labels)
        if names is not None and list(map(len, names)) != counts:
            raise ProcessingError(
                f"text_labels name {list(map(len, names))} classes and images were searched for {counts}; "
                "give the classes of each image"
            )
        if target_sizes is None:
            target_sizes = [self._default_size()] * len(logits)
        found_boxes.check_sizes(target_sizes, len(logits))
        sizes = torch.as_tensor(target_sizes, device=logits.device)
        corners = found_boxes.to_pixels(found_boxes.corners(outputs.decoder_coord_logits), sizes)
        results = []
        for i, count in enumerate(counts):
            chances = logits[i, :, :count].sigmoid()  # further columns are padding
            most = min(max_num_det or len(chances), chances.numel())
            scores, pairs = chances.flatten().topk(most)
            scores, pairs = scores[scores > threshold], pairs[scores > threshold]
            labels, places = pairs % count, corners[i, pairs // count]
            kept = found_boxes.suppress_by_class(places, scores, labels, nms_threshold)
            limits = sizes[i].flip(0).repeat(2).to(places)
            results.append(
                {
                    "boxes": places[kept].clamp(min=torch.zeros_like(limits), max=limits),
                    "scores": scores[kept],
                    "labels": labels[kept],
                    "text_labels": None if names is None else [names[i][n] for n in labels[kept].tolist()],
                }
            )
        return results

    def _default_size(self) -> tuple[int, int]:
        """Height and width that the image processor aims at."""
        size = self.image_processor.size
        names = ("height", "width") if "height" in size else ("shortest_edge", "longest_edge")
        return size[names[0]], size[names[1]]


def class_lists(text: Any) -> list[list[str]]:
    """The classes of each image, of a class, a list of classes, or such lists."""
    if isinstance(text, str):
        return [[text]]
    if text and all(isinstance(one, str) for one in text):
        return [list(text)]
    if not text or not all(names and all(isinstance(one, str) for one in names) for names in text):
        raise ProcessingError(
            "text must name at least one class for each image: [['a cat', 'a dog'], ['a bird']]"
        )
    return [[names] if isinstance(names, str) else list(names) for names in text]
