"""Image processor of OneFormer: pictures, the task in words, and for training what a picture holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import segments
from zoo_vision.processing.boxes import check_sizes, rows
from zoo_vision.processing.segmentation import MaskFormerImageProcessor

if TYPE_CHECKING:
    import torch

TASKS = ("semantic", "instance", "panoptic")


class OneFormerImageProcessor(MaskFormerImageProcessor):
    """As MaskFormer's, with masks and texts for one of three tasks.

    `metadata` names the classes: their numbers, as text, with their names; `class_names`; and `thing_ids`,
    the classes whose objects are counted. It is read from `class_info_file` in the folder or the Hub data set
    `repo_path`, where the caller names that file; what a checkpoint's own file names is not fetched.
    """

    size_divisor: ClassVar[int] = 1  # type: ignore[misc]
    pad_size: ClassVar[None] = None  # type: ignore[misc]
    repo_path: str | None = "shi-labs/oneformer_demo"
    class_info_file: str | None = None
    num_text: int | None = None
    metadata: dict[str, Any] | None = None
    _tasks: ClassVar[Sequence[str]] = ("panoptic",)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        if self.metadata is None and self.class_info_file is not None and self.repo_path is not None:
            self.metadata = class_metadata(self.repo_path, self.class_info_file)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any], **kwargs: Any) -> Any:
        if kwargs.get("class_info_file") is None:
            settings = {"metadata": {}, **settings}
        return super().from_dict(settings, **kwargs)

    def classes(self) -> dict[str, Any]:
        """`metadata`.

        Raises:
            ProcessingError: there is none.
        """
        if not self.metadata:
            raise ProcessingError(
                "the classes are not known: make the processor with class_info_file='ade20k_panoptic.json' "
                "and its repo_path, or with metadata={'0': 'wall', 'class_names': ['wall'], 'thing_ids': []}"
            )
        return self.metadata

    def adjusted(self, overrides: dict[str, Any]) -> Self:
        given = dict(overrides)
        tasks = given.pop("task_inputs", None)
        given.pop("pad_size", None)
        made = super().adjusted(given)
        if tasks is not None:
            made._tasks = tasks  # type: ignore[misc]
        return made

    def preprocess(  # type: ignore[override]
        self,
        images: Any,
        task_inputs: Sequence[str] | None = None,
        segmentation_maps: Any = None,
        instance_id_to_semantic_id: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """As MaskFormer's; also `task_inputs` in words and, with label maps, `text_inputs`.

        Args:
            task_inputs: of each image "semantic", "instance" or "panoptic"; by default one "panoptic".
        """
        kwargs["task_inputs"] = task_inputs
        return super().preprocess(images, segmentation_maps, instance_id_to_semantic_id, **kwargs)

    def encode_inputs(  # type: ignore[override]
        self,
        pixel_values_list: Sequence[Any],
        task_inputs: Sequence[str] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """As MaskFormer's, for tasks; see `preprocess`."""
        run = self.adjusted({"task_inputs": task_inputs})
        return super(OneFormerImageProcessor, run).encode_inputs(pixel_values_list, *args, **kwargs)

    def join(
        self, values: np.ndarray, mask: np.ndarray, maps: Any, mapping: Any, return_tensors: Any
    ) -> BatchFeature:
        import torch

        out = super().join(values, mask, maps, mapping, return_tensors)
        if maps is not None:
            for name in ("mask_labels", "class_labels"):  # tensors, whatever was asked for
                out[name] = [torch.as_tensor(own) for own in out[name]]
            out["text_inputs"] = self.texts([labels.tolist() for labels in out["class_labels"]])
        out["task_inputs"] = [f"the task is {task}" for task in self._tasks]
        return out

    def masks(
        self, maps: Any, mapping: Any, count: int, extent: tuple[int, int]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        masks, labels = super().masks(maps, mapping, count, extent)
        if len(self._tasks) != count:
            raise ProcessingError(
                f"{count} images came with {len(self._tasks)} task_inputs; give one per image"
            )
        chosen = [self.for_task(*entry) for entry in zip(masks, labels, self._tasks, strict=True)]
        return [mask for mask, _ in chosen], [label for _, label in chosen]

    def for_task(self, masks: np.ndarray, labels: np.ndarray, task: str) -> tuple[np.ndarray, np.ndarray]:
        """Masks and classes that a task asks for: one per class, of things alone, or all of them."""
        if task not in TASKS:
            raise ProcessingError(f"the task is {task!r}, but must be one of {', '.join(TASKS)}")
        if task == "instance":
            things = np.isin(labels, self.classes()["thing_ids"])
            masks, labels = masks[things], labels[things]
        elif task == "semantic":
            known = list(dict.fromkeys(labels.tolist()))
            merged = [masks[labels == label].max(axis=0) for label in known]
            masks, labels = np.stack(merged) if merged else masks, np.asarray(known, dtype=labels.dtype)
        if not len(masks):
            raise ProcessingError(f"a segmentation map holds nothing that the task {task!r} asks for")
        return masks, labels

    def texts(self, labels: Sequence[Sequence[int]]) -> list[list[str]]:
        """`num_text` texts for each image: one per object, and what kind of photo it is.

        As released, an image's texts also tell of the objects of those before it in the batch.
        """
        if self.num_text is None:
            raise ProcessingError("segmentation_maps need num_text, how many texts an image gets")
        classes = self.classes()
        counts = dict.fromkeys(classes["class_names"], 0)
        found = []
        for own, task in zip(labels, self._tasks, strict=True):
            for label in own:
                counts[classes[str(label)]] += 1
            said = [f"a photo with a {name}" for name, count in counts.items() for _ in range(count)]
            rest = "a semantic photo" if task == "semantic" else f"an {task} photo"
            found.append((said + [rest] * self.num_text)[: self.num_text])
        return found

    def post_process_instance_segmentation(  # type: ignore[override]
        self,
        outputs: Any,
        task_type: str = "instance",
        is_demo: bool = True,
        threshold: float = 0.5,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.8,
        target_sizes: Any = None,
        return_coco_annotation: bool | None = False,
    ) -> list[dict[str, Any]]:
        """Segments of the best pairs of query and class.

        Args:
            task_type: with "panoptic", of things alone.
            is_demo: leave out what scores no more than `threshold`.
            return_coco_annotation: `segmentation` is a list of COCO run lengths instead of a map.
        """
        logits, masks = self.query_outputs(outputs)
        check_sizes(target_sizes, len(logits))
        found: list[dict[str, Any]] = []
        kinds = logits.shape[-1] - 1
        for index, (chances, mask) in enumerate(zip(logits.softmax(-1)[..., :-1], masks, strict=True)):
            size = rows(target_sizes)[index] if target_sizes is not None else None
            scores, flat = chances.flatten().topk(len(chances), sorted=False)
            kept = self.wanted(scores, flat % kinds, task_type, threshold if is_demo else None)
            if not bool(kept.any()):
                height, width = size or tuple(mask.shape[1:])
                found.append({"segmentation": mask.new_zeros(height, width) - 1, "segments_info": []})
                continue
            labels = self.renumbered((flat % kinds)[kept], task_type, is_demo)
            segmentation: Any
            segmentation, parts = segments.fuse_segments(
                mask[flat // kinds][kept],
                scores[kept],
                labels,
                mask_threshold=mask_threshold,
                overlap_threshold=overlap_mask_area_threshold,
                fused=(),
                size=size,
            )
            if return_coco_annotation:
                segmentation = segments.run_length_codes(segmentation)
            found.append({"segmentation": segmentation, "segments_info": parts})
        return found

    def wanted(
        self, scores: torch.Tensor, labels: torch.Tensor, task: str, threshold: float | None
    ) -> torch.Tensor:
        """Which of the pairs count."""
        import torch

        kept = torch.ones_like(labels, dtype=torch.bool) if threshold is None else scores > threshold
        if task == "panoptic":
            kept &= torch.isin(labels, torch.as_tensor(self.classes()["thing_ids"], device=labels.device))
        return kept

    def renumbered(self, labels: torch.Tensor, task: str, is_demo: bool) -> torch.Tensor:
        """Classes as they are scored: in ADE20K's instances their place among the things."""
        if is_demo or "instance" not in task or "ade20k" not in (self.class_info_file or ""):
            return labels
        things = {label: place for place, label in enumerate(self.classes()["thing_ids"])}
        unknown = [label for label in labels.tolist() if label not in things]
        if unknown:
            raise ProcessingError(f"the classes {unknown} are no things, so they have no instances")
        return labels.new_tensor([things[label] for label in labels.tolist()])


def class_metadata(location: str, filename: str) -> dict[str, Any]:
    """`metadata` of a JSON file {number: {"name", "isthing"}} in a folder or a data set of the Hub."""
    from zoo_core.hub import HubOptions, Repository

    classes = Repository(location, options=HubOptions(repo_type="dataset")).read_json(filename)
    names = {number: entry["name"] for number, entry in classes.items()}
    things = [int(number) for number, entry in classes.items() if entry["isthing"]]
    return {**names, "thing_ids": things, "class_names": list(names.values())}
