"""Whisper's `generate` over sounds longer than a window gives the reference's ids, segments and seconds."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo_core import AutoModelForSpeechSeq2Seq

CASE = json.loads((Path(__file__).parent / "long_form" / "whisper.json").read_text())
CALLS = CASE["calls"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whisper") / "checkpoint"


@pytest.fixture
def model(folder: Path, write_checkpoint: Callable[..., Any]) -> Any:
    if not folder.exists():
        write_checkpoint(CASE, folder)
    return AutoModelForSpeechSeq2Seq.from_pretrained(folder)


def sounds(name: str, frames: list[int]) -> dict[str, torch.Tensor]:
    """Noise, silent after the end of each sound, and the mask."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    noise = torch.from_numpy(random.standard_normal((len(frames), 8, max(frames))).astype("float32"))
    mask = (torch.arange(max(frames)) < torch.tensor(frames)[:, None]).long()
    return {"input_features": noise * mask[:, None], "attention_mask": mask}


@pytest.mark.parametrize("name", CALLS)
def test_reference(model: Any, name: str) -> None:
    call = CALLS[name]
    arguments = dict(call["arguments"])
    if "prompt_ids" in arguments:
        arguments["prompt_ids"] = torch.tensor(arguments["prompt_ids"])
    found = model.generate(**sounds(name, call["frames"]), **arguments)
    if isinstance(found, torch.Tensor):
        found = {"sequences": found}
    assert found["sequences"].tolist() == call["sequences"]
    for row, expected in zip(found.get("segments", []), call.get("segments", []), strict=True):
        spans = [[s["start"], s["end"], len(s["tokens"]), *s["idxs"]] for s in row]
        assert np.allclose(np.array(spans, dtype=float), np.array(expected), atol=1e-3)
    if "token_timestamps" in call:
        assert np.allclose(found["token_timestamps"], call["token_timestamps"], atol=1e-3)
        for row, expected in zip(found["segments"], call["moments"], strict=True):
            for segment, moments in zip(row, expected, strict=True):
                assert np.allclose(segment["token_timestamps"], moments, atol=2e-3)
