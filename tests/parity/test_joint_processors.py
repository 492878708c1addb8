"""Processors of several modalities give the reference's answers, for every kind of call that is recorded."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import zoo_core

FOLDER = Path(__file__).parent / "processors"
sys.path.insert(0, str(FOLDER))
from joint_values import describe, differences, revive  # noqa: E402

CASES = sorted((FOLDER / "joint").glob("*.json"))
REFUSALS = (ValueError, TypeError)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_recorded_calls(path: Path, tmp_path: Path) -> None:
    case = json.loads(path.read_text())
    for name, text in case["files"].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    processor = zoo_core.AutoProcessor.from_pretrained(tmp_path)
    assert type(processor).__name__ == case["class"]
    faults = []
    for place, call in enumerate(case["calls"]):
        where = f"{place} {call['method']}({json.dumps(call['arguments'])[:200]})"
        method = getattr(processor, call["method"])
        refused = "raises" in call
        try:
            returned = describe(method(**revive(call["arguments"])))
        except REFUSALS as error:
            faults += [] if refused else [f"{where} raised {type(error).__name__}: {error}"]
            continue
        if refused:
            faults.append(f"{where} was not refused")
            continue
        faults += [f"{where} {fault}" for fault in differences(call["returns"], returned)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_saved_files_give_the_same(path: Path, tmp_path: Path) -> None:
    files = json.loads(path.read_text())["files"]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    first, second = tmp_path / "first", tmp_path / "second"
    zoo_core.AutoProcessor.from_pretrained(tmp_path).save_pretrained(first)
    zoo_core.AutoProcessor.from_pretrained(first).save_pretrained(second)
    names = {str(one.relative_to(first)) for one in first.rglob("*") if one.is_file()}
    assert names == {str(one.relative_to(second)) for one in second.rglob("*") if one.is_file()}
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)
    own = [name for name in ("preprocessor_config.json", "processor_config.json") if name in files]
    assert all(json.loads((first / name).read_text()) == json.loads(files[name]) for name in own)
