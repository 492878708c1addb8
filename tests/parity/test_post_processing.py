"""Post-processing gives the reference's detections and segments."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from zoo_core import registry

FOLDER = Path(__file__).parent / "processors"
sys.path.insert(0, str(FOLDER))
from record_post import answer  # noqa: E402

CASES = json.loads((FOLDER / "post.json").read_text())


def agree(expected: Any, found: Any) -> bool:
    """Equal, numbers to what was kept of them."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(agree(expected[key], found[key]) for key in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(agree, expected, found))
    if isinstance(expected, float) and isinstance(found, float):
        return found == pytest.approx(expected, rel=1e-4, abs=2e-4)
    return bool(expected == found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['class']}-{case['task']}")
def test_recorded_answers(case: dict[str, Any]) -> None:
    processor = registry.component(case["class"])()
    assert agree(case["answer"], answer(processor, case["outputs"], case["task"], case["options"]))
