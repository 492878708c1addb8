"""Record what the reference's post-processing makes of outputs; needs transformers 4.57.6 and Pillow.

REFERENCE/bin/python tests/parity/processors/record_post.py tests/parity/processors/post.json
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from pictures import places

SIZES = [(60, 80), (50, 40)]
BOXES, MASKS, DEPTH = "boxes", "masks", "depth"
THREE = ("semantic", "instance", "panoptic")
CALLS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("RTDetr", BOXES, "object_detection", {}),
    ("ZoeDepth", DEPTH, "depth_estimation", {"source_sizes": SIZES}),
    ("ZoeDepth", DEPTH, "depth_estimation", {"target_sizes": SIZES, "do_remove_padding": False}),
    ("RTDetr", BOXES, "object_detection", {"threshold": 0.9, "target_sizes": SIZES}),
    ("DeformableDetr", BOXES, "object_detection", {"target_sizes": SIZES, "top_k": 5}),
    *(
        (
            "Eomt",
            MASKS,
            f"{task}_segmentation",
            {"target_sizes": SIZES, "size": {"shortest_edge": 64, "longest_edge": 64}, **options},
        )
        for task, options in (
            ("panoptic", {"threshold": 0.3, "overlap_mask_area_threshold": 0.2, "stuff_classes": [0, 1]}),
            ("instance", {}),
        )
    ),
    *(
        (kind, MASKS, f"{task}_segmentation", options)
        for kind in ("MaskFormer", "Mask2Former")
        for task in THREE
        for options in ({}, {"target_sizes": SIZES})
    ),
    ("MaskFormer", MASKS, "instance_segmentation", {"return_coco_annotation": True}),
    ("Mask2Former", MASKS, "instance_segmentation", {"return_binary_maps": True, "threshold": 0.1}),
    (
        "MaskFormer",
        MASKS,
        "panoptic_segmentation",
        {"threshold": 0.2, "overlap_mask_area_threshold": 0.3, "label_ids_to_fuse": [1, 2]},
    ),
]


def outputs(kind: str) -> Any:
    """What a model may have returned for two images."""
    random = np.random.RandomState(0)

    def draw(*shape: int, spread: float = 3.0) -> torch.Tensor:
        return torch.from_numpy((random.standard_normal(shape) * spread).astype(np.float32))

    if kind == BOXES:
        return SimpleNamespace(logits=draw(2, 12, 5), pred_boxes=draw(2, 12, 4).sigmoid())
    if kind == DEPTH:
        return SimpleNamespace(predicted_depth=draw(2, 24, 32).abs())
    coarse = draw(2, 9, 4, 5, spread=6.0)
    maps = torch.nn.functional.interpolate(coarse, size=(16, 20), mode="bilinear")
    return SimpleNamespace(class_queries_logits=draw(2, 9, 6), masks_queries_logits=maps)


def plain(found: Any) -> Any:
    """Tensors as shape, dtype, sum and some values; numbers rounded; the rest as it is."""
    if isinstance(found, torch.Tensor):
        values = found.double().flatten().numpy()
        some = [round(float(v), 4) for v in values[places(values.size)]]
        total = round(float(values.sum()), 2)
        return {"dtype": str(found.dtype), "shape": list(found.shape), "sum": total, "values": some}
    if isinstance(found, dict):
        return {key: plain(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [plain(value) for value in found]
    if isinstance(found, bool) or not isinstance(found, int | float | np.integer | np.floating):
        return found
    return round(float(found), 4)


def answer(processor: Any, kind: str, task: str, options: dict[str, Any]) -> Any:
    """The plain result of one call."""
    options = dict(options)
    if "label_ids_to_fuse" in options:
        options["label_ids_to_fuse"] = set(options["label_ids_to_fuse"])
    return plain(getattr(processor, f"post_process_{task}")(outputs(kind), **options))


def main() -> None:
    warnings.simplefilter("ignore")
    reference = importlib.import_module("transformers")
    cases = []
    for name, kind, task, options in CALLS:
        found = answer(getattr(reference, f"{name}ImageProcessor")(), kind, task, options)
        call = {"class": f"{name}ImageProcessor", "outputs": kind, "task": task, "options": options}
        cases.append({**call, "answer": found})
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(sys.argv[1]).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
