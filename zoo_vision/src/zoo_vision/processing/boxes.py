"""From what a detector predicts to boxes in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo_core.errors import ProcessingError

if TYPE_CHECKING:
    import torch


def corners(boxes: torch.Tensor) -> torch.Tensor:
    """Boxes (centre x, centre y, width, height) as corners (x0, y0, x1, y1)."""
    import torch

    x, y, width, height = boxes.unbind(-1)
    return torch.stack((x - width / 2, y - height / 2, x + width / 2, y + height / 2), dim=-1)


def check_sizes(target_sizes: Any, count: int) -> None:
    """Refuse a number of sizes other than the number of images."""
    if target_sizes is not None and len(target_sizes) != count:
        raise ProcessingError(
            f"target_sizes has {len(target_sizes)} entries and the outputs are of {count} images; "
            "give one (height, width) per image"
        )


def to_pixels(boxes: torch.Tensor, target_sizes: Any) -> torch.Tensor:
    """Relative corners (batch, boxes, 4) in the pixels of ``target_sizes``: (height, width) per image."""
    import torch

    if target_sizes is None:
        return boxes
    sizes = torch.as_tensor(target_sizes, device=boxes.device)
    height, width = sizes.unbind(1)
    return boxes * torch.stack((width, height, width, height), dim=1)[:, None, :].to(boxes.dtype)


def pick(
    scores: torch.Tensor, labels: torch.Tensor, boxes: torch.Tensor, threshold: float
) -> list[dict[str, torch.Tensor]]:
    """Per image, the detections whose score exceeds ``threshold``."""
    return [
        {"scores": s[s > threshold], "labels": c[s > threshold], "boxes": b[s > threshold]}
        for s, c, b in zip(scores, labels, boxes, strict=True)
    ]


def softmax_detections(outputs: Any, threshold: float, target_sizes: Any) -> list[dict[str, torch.Tensor]]:
    """Best class of each query, the last class meaning that there is nothing (DETR)."""
    check_sizes(target_sizes, len(outputs.logits))
    scores, labels = outputs.logits.softmax(-1)[..., :-1].max(-1)
    return pick(scores, labels, to_pixels(corners(outputs.pred_boxes), target_sizes), threshold)


def sigmoid_detections(
    outputs: Any, threshold: float, target_sizes: Any, top_k: int
) -> list[dict[str, torch.Tensor]]:
    """The ``top_k`` pairs of query and class, each class judged alone (Deformable DETR, RT-DETR)."""
    check_sizes(target_sizes, len(outputs.logits))
    chances = outputs.logits.sigmoid()
    classes = chances.shape[2]
    scores, flat = chances.flatten(1).topk(min(top_k, chances[0].numel()), dim=1)
    queries = (flat // classes).unsqueeze(-1).expand(-1, -1, 4)
    boxes = corners(outputs.pred_boxes).gather(1, queries)
    return pick(scores, flat % classes, to_pixels(boxes, target_sizes), threshold)


def best_class_detections(outputs: Any, threshold: float, target_sizes: Any) -> list[dict[str, torch.Tensor]]:
    """Best class of each query, judged alone (OWL-ViT, Grounding DINO)."""
    check_sizes(target_sizes, len(outputs.logits))
    best, labels = outputs.logits.max(-1)
    return pick(best.sigmoid(), labels, to_pixels(corners(outputs.pred_boxes), target_sizes), threshold)


def overlaps(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Intersection over union of corners, every one of ``first`` with every one of ``second``."""
    import torch

    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    area = (first[:, 2:] - first[:, :2]).prod(-1)[:, None] + (second[:, 2:] - second[:, :2]).prod(-1)
    return shared / (area - shared)


def suppress(boxes: torch.Tensor, scores: torch.Tensor, limit: float) -> torch.Tensor:
    """Indices, best first, of boxes that overlap no better one by more than ``limit``."""
    import torch

    order = scores.argsort(descending=True, stable=True)
    shared = overlaps(boxes[order], boxes[order])
    kept: list[int] = []
    open_ = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    for index in range(len(order)):
        if open_[index]:
            kept.append(index)
            open_ &= ~(shared[index] > limit)
    return order[torch.tensor(kept, dtype=torch.long, device=boxes.device)]


def suppress_by_class(
    boxes: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor, limit: float
) -> torch.Tensor:
    """As `suppress`, where only boxes of the same class suppress each other."""
    # Boxes of different classes are moved apart so that one pass suppresses within classes.
    apart = boxes.amax() - boxes.amin() + 1 if len(boxes) else 0
    return suppress(boxes + (labels.to(boxes) * apart)[:, None], scores, limit)


def rows(sizes: Sequence[Any] | Any) -> list[tuple[int, int]]:
    """Sizes as tuples of whole numbers."""
    return [(int(height), int(width)) for height, width in sizes]
