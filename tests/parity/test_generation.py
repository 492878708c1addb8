"""generate() writes what the reference writes: one test a checkpoint, its runs in generation/*.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo_core
from zoo_core import registry

PATHS = sorted((Path(__file__).parent / "generation").glob("*.json"))


def trimmed(rows: list[list[int]], pad: int) -> list[list[int]]:
    """Rows without the padding at their end."""
    return [row[: max((i for i, token in enumerate(row) if token != pad), default=0) + 1] for row in rows]


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_runs(path: Path, tmp_path: Path, write_checkpoint: Callable[..., Any]) -> None:
    recorded = json.loads(path.read_text())
    assert recorded["case"]["model_type"] in registry.names()
    write_checkpoint(recorded["case"], tmp_path / "source")
    model = getattr(zoo_core, recorded["auto"]).from_pretrained(tmp_path / "source")
    wrong = []
    for label, run in recorded["runs"].items():
        settings = {"do_sample": False, **{k: v for k, v in run["kwargs"].items() if v is not None}}
        torch.manual_seed(run["seed"] or 0)
        out = model.generate(
            torch.tensor(run["input_ids"]),
            attention_mask=torch.tensor(run["attention_mask"]),
            return_dict_in_generate=True,
            **settings,
        )
        pad = settings["pad_token_id"]
        if trimmed(out.sequences.tolist(), pad) != trimmed(run["sequences"], pad):
            wrong.append(f"{label}: {out.sequences.tolist()} instead of {run['sequences']}")
        elif "sequences_scores" in run and not torch.allclose(
            out.sequences_scores, torch.tensor(run["sequences_scores"]), atol=2e-3
        ):
            wrong.append(f"{label}: scores {out.sequences_scores.tolist()}")
    assert wrong == []
