"""Checkpoints of Segment Anything 2 for videos serve single images."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from zoo_core import AutoModelForMaskGeneration
from zoo_vision.sam2.config import Sam2VideoConfig
from zoo_vision.sam2.model import Sam2Model

CASE = Path(__file__).parents[1] / "parity/cases/sam2/Sam2Model.one.json"


def test_the_memory_is_left_out(tmp_path: Path) -> None:
    config = Sam2VideoConfig.from_dict(json.loads(CASE.read_text())["config"] | {"model_type": "sam2_video"})
    model = Sam2Model(config).eval()
    model.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    memory = {name: torch.zeros(2) for name in ("memory_encoder.projection.weight", "no_object_pointer")}
    save_file(load_file(path) | memory, path, metadata={"format": "pt"})
    loaded, info = AutoModelForMaskGeneration.from_pretrained(tmp_path, output_loading_info=True)
    assert type(loaded) is Sam2Model and not any(info.values())
    image = torch.rand(1, 3, 128, 128)
    with torch.no_grad():
        assert torch.equal(loaded(image).pred_masks, model(image).pred_masks)
