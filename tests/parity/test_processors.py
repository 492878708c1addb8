"""Every image processor gives the reference's numbers, and its file survives being loaded and saved."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import zoo_core
from zoo_vision.components import COMPONENTS

FOLDER = Path(__file__).parent / "processors"
sys.path.insert(0, str(FOLDER))
from pictures import flatten, picture, places  # noqa: E402

CASES = sorted((FOLDER / "image").glob("*.json"))
TOLERANCE = 1e-3  # of the largest value; a pixel level is 1/255


def difference(expected: dict[str, Any], got: np.ndarray | None) -> str | None:
    """Why ``got`` is not what was recorded, or None."""
    if got is None:
        return "absent"
    if list(got.shape) != expected["shape"] or str(got.dtype) != expected["dtype"]:
        return f"{got.dtype} {got.shape}, expected {expected['dtype']} {expected['shape']}"
    values, want = got.ravel()[places(got.size)].astype(np.float64), np.asarray(expected["values"])
    exact = got.dtype.kind in "iub"
    limit = 0.0 if exact else TOLERANCE * max(1.0, float(np.abs(want).max(initial=0)))
    error = float(np.abs(values - want).max(initial=0))
    return None if error <= limit else f"off by {error:.3g}"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_recorded_outputs(path: Path, tmp_path: Path) -> None:
    case = json.loads(path.read_text())
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(case["config"]))
    processor = zoo_core.AutoImageProcessor.from_pretrained(tmp_path)
    assert type(processor).__name__ == case["class"]
    pictures = [Image.fromarray(picture(**one)) for one in case["images"]]
    given = {"single": pictures[0], "wide": pictures[1], "pair": pictures}
    faults = []
    for label, call in case["calls"].items():
        got = flatten(dict(processor(given[label], return_tensors=call["return_tensors"])))
        for name, expected in call["outputs"].items():
            if reason := difference(expected, got.get(name)):
                faults.append(f"{label} {name}: {reason}")
    assert not faults


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_files_survive(path: Path, tmp_path: Path) -> None:
    config = json.loads(path.read_text())["config"] | {"a_key_of_the_future": [1, {"x": None}]}
    written = json.dumps(config, indent=2, sort_keys=True) + "\n"
    (tmp_path / "preprocessor_config.json").write_text(written)
    zoo_core.AutoImageProcessor.from_pretrained(tmp_path).save_pretrained(tmp_path / "saved")
    assert (tmp_path / "saved" / "preprocessor_config.json").read_text() == written


def test_every_shipped_processor_is_recorded() -> None:
    recorded = {json.loads(path.read_text())["class"] for path in CASES}
    shipped = {name for name in COMPONENTS if name.endswith("ImageProcessor")}
    # VitMatte takes trimaps and ViTPose boxes; the reference runs Depth Pro's, DINOv3's, SAM 2's and timm's
    # only with torchvision and timm: tests/vision_processing and tests/vision have them.
    other = {"DINOv3ViT", "DepthPro", "Sam2", "TimmWrapper", "VitMatte", "VitPose"}
    assert shipped - recorded == {f"{name}ImageProcessor" for name in other}
