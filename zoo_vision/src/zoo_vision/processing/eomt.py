"""Maps of segments from EoMT's queries, of padded pictures or of pictures cut into squares."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from zoo_vision.processing.boxes import check_sizes, rows
from zoo_vision.processing.resample import Size, edges
from zoo_vision.processing.segments import scaled

if TYPE_CHECKING:
    import torch


class EomtOutputs:
    """What an image processor of the given `size` makes of EoMT's outputs."""

    size: Size

    def merge_image_patches(
        self,
        segmentation_logits: torch.Tensor,
        patch_offsets: Sequence[Any],
        target_sizes: Any,
        size: Size,
    ) -> list[torch.Tensor]:
        """Squares (squares, classes, h, w), joined and brought to (height, width) per picture.

        Args:
            patch_offsets: (picture, start, end) of each square along the longer side; means are taken where
                they overlap.
        """
        import torch

        found = []
        for index, target in enumerate(rows(target_sizes)):
            height, width = edges(target, size["shortest_edge"], size.get("longest_edge"))
            total = segmentation_logits.new_zeros(segmentation_logits.shape[1], height, width)
            count = torch.zeros_like(total)
            for logits, offset in zip(segmentation_logits, patch_offsets, strict=True):
                picture, start, end = (int(n) for n in offset)
                if picture != index:
                    continue
                part = (slice(None), slice(start, end)) if height > width else (..., slice(start, end))
                total[part] += logits
                count[part] += 1
            found.append(scaled(total / count.clamp(min=1), target))
        return found

    def unpad_image(
        self, segmentation_logits: torch.Tensor, target_sizes: Any, size: Size
    ) -> list[torch.Tensor]:
        """Maps (batch, ..., h, w) of padded pictures, cut and brought to (height, width) per picture."""
        found = []
        for logits, target in zip(segmentation_logits, rows(target_sizes), strict=True):
            height, width = edges(target, size["shortest_edge"], size.get("longest_edge"))
            found.append(scaled(logits[..., :height, :width], target))
        return found

    def _masks(self, outputs: Any, size: Size | None) -> tuple[Size, torch.Tensor]:
        size = self.size if size is None else size
        short = size["shortest_edge"]
        return size, scaled(outputs.masks_queries_logits, (short, size.get("longest_edge") or short))

    def post_process_semantic_segmentation(
        self, outputs: Any, target_sizes: Any, size: Size | None = None
    ) -> list[torch.Tensor]:
        """The class of every pixel, (height, width) per picture.

        Args:
            outputs: ``class_queries_logits`` and ``masks_queries_logits``, and of pictures that were cut
                ``patch_offsets``. size: by default that of the processor.
        """
        import torch

        size, masks = self._masks(outputs, size)
        classes = outputs.class_queries_logits.softmax(-1)[..., :-1]
        logits = torch.einsum("bqc,bqhw->bchw", classes, masks.sigmoid())
        if outputs.patch_offsets:
            maps = self.merge_image_patches(logits, outputs.patch_offsets, target_sizes, size)
        else:
            check_sizes(target_sizes, len(logits))
            maps = self.unpad_image(logits, target_sizes, size)
        return [one.argmax(0) for one in maps]

    def post_process_panoptic_segmentation(
        self,
        outputs: Any,
        target_sizes: Any,
        threshold: float = 0.8,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.8,
        stuff_classes: Collection[int] | None = None,
        size: Size | None = None,
    ) -> list[dict[str, Any]]:
        """Per picture ``segmentation`` (height, width), -1 in no segment, and ``segments_info``.

        Args:
            threshold: how sure a query must be of its class. mask_threshold: a pixel above it may belong to
                a mask. overlap_mask_area_threshold: a mask must keep this part of its pixels.
            stuff_classes: classes whose segments become one.
        """
        size, masks = self._masks(outputs, size)
        check_sizes(target_sizes, len(masks))
        found = []
        maps = self.unpad_image(masks, target_sizes, size)
        for own, logits in zip(maps, outputs.class_queries_logits, strict=True):
            scores, labels = logits.softmax(-1).max(-1)
            keep = (scores > threshold) & (labels != logits.shape[-1] - 1)
            found.append(
                panoptic(
                    own.sigmoid()[keep],
                    scores[keep],
                    labels[keep],
                    mask_threshold=mask_threshold,
                    overlap_threshold=overlap_mask_area_threshold,
                    stuff=stuff_classes or (),
                )
            )
        return found

    def post_process_instance_segmentation(
        self, outputs: Any, target_sizes: Any, threshold: float = 0.5, size: Size | None = None
    ) -> list[dict[str, Any]]:
        """Per picture ``segmentation`` (height, width), -1 in no object, and ``segments_info``."""
        import torch

        size, masks = self._masks(outputs, size)
        check_sizes(target_sizes, len(masks))
        found = []
        maps = self.unpad_image(masks, target_sizes, size)
        for own, logits in zip(maps, outputs.class_queries_logits, strict=True):
            scores, labels = logits.softmax(-1)[..., :-1].max(-1)
            inside = own > 0
            chance = (own.sigmoid() * inside).flatten(1).sum(1) / (inside.flatten(1).sum(1) + 1e-6)
            result = torch.full(own.shape[-2:], -1.0, device=own.device)
            info: list[dict[str, Any]] = []
            for mask, score, label in zip(inside, (scores * chance).tolist(), labels.tolist(), strict=True):
                if score >= threshold and bool(mask.any()):
                    result[mask] = len(info)
                    info.append({"id": len(info), "label_id": label, "score": round(score, 6)})
            found.append({"segmentation": result, "segments_info": info})
        return found


def panoptic(
    masks: torch.Tensor,
    scores: torch.Tensor,
    labels: torch.Tensor,
    *,
    mask_threshold: float,
    overlap_threshold: float,
    stuff: Collection[int],
) -> dict[str, Any]:
    """Segments of masks (queries, height, width), probabilities, each pixel going to its best mask."""
    import torch

    result = torch.full(masks.shape[-2:], -1, dtype=torch.int64, device=masks.device)
    info: list[dict[str, Any]] = []
    if not len(masks):
        return {"segmentation": result, "segments_info": info}
    winner = (masks * scores[:, None, None]).argmax(0)
    known: dict[int, int] = {}
    for query, label in enumerate(labels.tolist()):
        claimed = masks[query] >= mask_threshold
        won = winner == query
        if not bool((won & claimed).any()) or int(won.sum()) / int(claimed.sum()) <= overlap_threshold:
            continue
        won &= claimed
        if label in known:
            result[won] = known[label]
            continue
        if label in stuff:
            known[label] = len(info)
        result[won] = len(info)
        info.append({"id": len(info), "label_id": label, "score": round(float(scores[query]), 6)})
    return {"segmentation": result, "segments_info": info}
