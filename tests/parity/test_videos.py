"""Objects followed through a video have the masks that the reference found: one test a session.

A file under videos/ holds a config and weights as those under cases/ do, and sessions: prompts, each seen by
the model at once, and then the frames that are gone through.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo_core import AutoModel
from zoo_vision.processing.sam2 import Sam2ImageProcessor
from zoo_vision.processing.sam2_video import Sam2VideoVideoProcessor
from zoo_vision.sam2_video.processor import Sam2VideoProcessor

FILES = sorted((Path(__file__).parent / "videos").glob("*.json"))
TOLERANCE = 3e-4  # of the largest expected value


def moving_disc() -> np.ndarray:
    """(6, 60, 80, 3): a light disc that wanders to the right."""
    rows, columns = np.mgrid[:60, :80]
    inside = [(columns - 20 - 6 * i) ** 2 + (rows - 30) ** 2 < 200 for i in range(6)]
    ground = np.stack([(columns * (c + 2) + rows * 3) % 120 for c in range(3)], axis=-1)
    return np.stack([np.where(one[..., None], 220, ground) for one in inside]).astype(np.uint8)


def check(expected: dict[str, Any], masks: torch.Tensor) -> None:
    assert list(masks.shape) == expected["shape"]
    have, want = masks.numpy().ravel(), np.array(expected["values"])
    have = have[np.unique(np.linspace(0, have.size - 1, num=len(want)).round().astype(int))]
    assert float(np.abs(have - want).max()) <= TOLERANCE * float(np.abs(want).max())


def prompt(given: dict[str, Any]) -> dict[str, Any]:
    if "input_masks" not in given:
        return given
    mask = np.zeros((60, 80), np.float32)
    mask[slice(*given["input_masks"]["rows"]), slice(*given["input_masks"]["columns"])] = 1
    return {**given, "input_masks": mask}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_sessions(
    path: Path, tmp_path: Path, write_checkpoint: Callable[..., dict[str, torch.Tensor]]
) -> None:
    case = json.loads(path.read_text())
    write_checkpoint(case, tmp_path / "source")
    model, info = AutoModel.from_pretrained(tmp_path / "source", output_loading_info=True)
    assert type(model).__name__ == case["architecture"] and not any(info.values())
    size = {"height": case["config"]["image_size"], "width": case["config"]["image_size"]}
    processor = Sam2VideoProcessor(Sam2ImageProcessor(size=size), Sam2VideoVideoProcessor(size=size))
    for run in case["runs"]:
        session = processor.init_video_session(moving_disc())
        for given in run["prompts"]:
            processor.add_inputs_to_inference_session(session, **prompt(given))
            check(run["first"][str(given["frame_idx"])], model(session, given["frame_idx"]).pred_masks)
        found = {
            str(out.frame_idx): out.pred_masks
            for out in model.propagate_in_video_iterator(session, **run["track"])
        }
        assert list(found) == list(run["masks"])
        for frame, masks in found.items():
            check(run["masks"][frame], masks)
