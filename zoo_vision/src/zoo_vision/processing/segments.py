"""From what a segmenter predicts to label maps and segments."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from zoo_vision.processing.boxes import check_sizes, rows

if TYPE_CHECKING:
    import torch


def scaled(maps: torch.Tensor, size: tuple[int, int], mode: str = "bilinear") -> torch.Tensor:
    """Maps (..., height, width) at another size; leading axes are kept."""
    import torch.nn.functional as F

    flat = maps.reshape(1, -1, *maps.shape[-2:])
    aligned = None if mode == "nearest" else False
    out = F.interpolate(flat, size=size, mode=mode, align_corners=aligned)
    return out.reshape(*maps.shape[:-2], *size)


def semantic_maps(logits: torch.Tensor, target_sizes: Any = None) -> list[torch.Tensor]:
    """The class of every pixel, (height, width) per image, from class maps (batch, classes, h, w)."""
    check_sizes(target_sizes, len(logits))
    if target_sizes is None:
        return list(logits.argmax(dim=1))
    return [scaled(one, size).argmax(dim=0) for one, size in zip(logits, rows(target_sizes), strict=True)]


def query_semantic_maps(
    class_logits: torch.Tensor, mask_logits: torch.Tensor, target_sizes: Any = None
) -> list[torch.Tensor]:
    """The class of every pixel from queries, each with class scores (the last: nothing) and a mask."""
    import torch

    classes = class_logits.softmax(-1)[..., :-1]
    return semantic_maps(torch.einsum("bqc,bqhw->bchw", classes, mask_logits.sigmoid()), target_sizes)


def fuse_segments(
    masks: torch.Tensor,
    scores: torch.Tensor,
    labels: torch.Tensor,
    *,
    mask_threshold: float,
    overlap_threshold: float,
    fused: Collection[int],
    size: tuple[int, int] | None,
    first_id: int = 1,
    background: int = 0,
) -> tuple[torch.Tensor, list[dict[str, Any]]]:
    """One map of segment numbers from overlapping masks, each pixel going to its best mask.

    Args:
        masks: (queries, height, width), probabilities.
        scores: how sure each query is of its class.
        labels: each query's class.
        mask_threshold: a pixel above it belongs to a mask.
        overlap_threshold: a mask must keep more than this part of its pixels.
        fused: classes whose segments become one.
        size: (height, width) of the result.
        first_id: number of the first segment.
        background: number of pixels in no segment.
    """
    import torch

    if size is not None:
        masks = scaled(masks, size)
    winner = (masks * scores[:, None, None]).argmax(0)
    weighted = masks * scores[:, None, None]
    result = torch.full(masks.shape[-2:], background, dtype=torch.int32, device=masks.device)
    segments: list[dict[str, Any]] = []
    known: dict[int, int] = {}
    next_id = first_id
    for query in range(len(masks)):
        label = int(labels[query])
        won = winner == query
        claimed, area = (weighted[query] >= mask_threshold).sum(), won.sum()
        # A ratio of float32, which is above 0.8 where four of five pixels are kept.
        if not claimed or not area or float(area / claimed) <= overlap_threshold:
            continue
        if label in known:
            number = known[label]
        else:
            number, next_id = next_id, next_id + 1
        result[won] = number
        segments.append(
            {
                "id": number,
                "label_id": label,
                "was_fused": label in fused,
                "score": round(float(scores[query]), 6),
            }
        )
        if label in fused:
            known[label] = number
    return result, segments


def panoptic_segments(
    class_logits: torch.Tensor,
    mask_logits: torch.Tensor,
    *,
    threshold: float,
    mask_threshold: float,
    overlap_threshold: float,
    fused: Collection[int] | None,
    target_sizes: Any,
) -> list[dict[str, Any]]:
    """Per image ``segmentation`` (height, width) and ``segments_info``; the last class means nothing."""
    import torch

    check_sizes(target_sizes, len(class_logits))
    nothing = class_logits.shape[-1] - 1
    found: list[dict[str, Any]] = []
    for index, (classes, masks) in enumerate(zip(class_logits, mask_logits, strict=True)):
        scores, labels = classes.softmax(-1).max(-1)
        keep = (labels != nothing) & (scores > threshold)
        size = rows(target_sizes)[index] if target_sizes is not None else None
        if not bool(keep.any()):
            height, width = size or tuple(masks.shape[1:])
            found.append({"segmentation": torch.zeros((height, width)) - 1, "segments_info": []})
            continue
        segmentation, segments = fuse_segments(
            masks.sigmoid()[keep],
            scores[keep],
            labels[keep],
            mask_threshold=mask_threshold,
            overlap_threshold=overlap_threshold,
            fused=fused or (),
            size=size,
        )
        found.append({"segmentation": segmentation, "segments_info": segments})
    return found


def instance_segments(
    class_logits: torch.Tensor,
    mask_logits: torch.Tensor,
    *,
    threshold: float,
    target_sizes: Any,
    run_lengths: bool,
    binary_maps: bool,
) -> list[dict[str, Any]]:
    """Per image ``segmentation`` and ``segments_info`` of the best pairs of query and class.

    Args:
        run_lengths: ``segmentation`` is a list of COCO run lengths instead of a map.
        binary_maps: ``segmentation`` is (objects, height, width) of zeros and ones.
    """
    import torch

    check_sizes(target_sizes, len(class_logits))
    found: list[dict[str, Any]] = []
    queries, kinds = class_logits.shape[1], class_logits.shape[2] - 1
    for index, (classes, logits) in enumerate(zip(class_logits, mask_logits, strict=True)):
        chances, flat = classes.softmax(-1)[:, :-1].flatten().topk(queries, sorted=False)
        chosen = logits[flat // kinds]
        masks = (chosen > 0).float()
        inside = (chosen.sigmoid() * masks).flatten(1).sum(1) / (masks.flatten(1).sum(1) + 1e-6)
        scores, labels = chances * inside, flat % kinds
        if target_sizes is not None:
            masks = scaled(masks, rows(target_sizes)[index], "nearest")
        segmentation = torch.zeros(masks.shape[-2:], device=logits.device) - 1
        maps, segments = [], []
        for mask, score, label in zip(masks, scores, labels, strict=True):
            if bool((mask == 0).all()) or float(score) < threshold:
                continue
            segmentation[mask == 1] = len(segments)
            maps.append(mask)
            segments.append(
                {
                    "id": len(segments),
                    "label_id": int(label),
                    "was_fused": False,
                    "score": round(float(score), 6),
                }
            )
        result: Any = segmentation
        if run_lengths:
            result = run_length_codes(segmentation)
        elif binary_maps and maps:
            result = torch.stack(maps)
        found.append({"segmentation": result, "segments_info": segments})
    return found


def run_length_codes(segmentation: torch.Tensor) -> list[list[int]]:
    """COCO run lengths (start, length, …; starting from 1, row by row) of each segment number in a map."""
    import torch

    codes = []
    for number in torch.unique(segmentation):
        flat = torch.nn.functional.pad((segmentation == number).flatten().int(), (1, 1))
        edges = torch.nonzero(flat[1:] != flat[:-1]).flatten() + 1
        starts, ends = edges[0::2], edges[1::2]
        codes.append(torch.stack((starts, ends - starts), dim=1).flatten().tolist())
    return codes
