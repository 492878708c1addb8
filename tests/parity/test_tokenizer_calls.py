"""Calls of tokenizers that take more than text, as recorded in tokenizer_calls/ (see measure.py there)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from zoo_core import AutoTokenizer

FOLDER = Path(__file__).parent / "tokenizer_calls"
VOCABULARIES = FOLDER.parent / "tokenizers" / "vocabularies"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_calls_return_what_was_recorded(path: Path, tmp_path: Path) -> None:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name, source in case["files"].items():
        shutil.copy(VOCABULARIES / source, tmp_path / name)
    config = {"tokenizer_class": case["class"], **case["options"]}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    given = AutoTokenizer.from_pretrained(tmp_path)
    given.save_pretrained(tmp_path / "saved")
    for tokenizer in (given, AutoTokenizer.from_pretrained(tmp_path / "saved")):
        for call in case["calls"]:
            assert written(tokenizer(**call["arguments"])) == written(call["returns"]), call["arguments"]


def written(answer: dict[str, Any]) -> str:
    """As JSON, in which no number equals itself."""
    return json.dumps(dict(answer), sort_keys=True)
