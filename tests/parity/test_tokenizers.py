"""Every tokenizer family against recorded answers: tokenizers/CLASS.json (see measure.py there)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from zoo_core import AutoTokenizer

FOLDER = Path(__file__).parent / "tokenizers"
CASES = sorted(path.stem for path in FOLDER.glob("*.json"))


def build(case: dict[str, Any], folder: Path) -> Any:
    for name, source in case["files"].items():
        shutil.copy(FOLDER / "vocabularies" / source, folder / name)
    config = {"tokenizer_class": case["class"], **case["options"]}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return AutoTokenizer.from_pretrained(folder)


def answers(tokenizer: Any, case: dict[str, Any]) -> dict[str, Any]:
    """What the tokenizer says to what the case asks."""
    texts = case["texts"]
    ids = [list(tokenizer(text)["input_ids"]) for text in texts]
    found: dict[str, Any] = {
        "input_ids": ids,
        "decoded": [tokenizer.decode(row) for row in case["input_ids"]],
        "decoded_skip": [tokenizer.decode(row, skip_special_tokens=True) for row in case["input_ids"]],
        "tokens": tokenizer.convert_ids_to_tokens(case["input_ids"][1]),
        "pair": {key: list(value) for key, value in tokenizer(texts[0], texts[3]).items()},
        "no_special": list(tokenizer(texts[1], add_special_tokens=False)["input_ids"]),
        "special_ids": {role: getattr(tokenizer, role) for role in case["special_ids"]},
        "vocab_size": len(tokenizer),
    }
    if "padded" in case:
        padded = tokenizer(texts[:3], padding=True, truncation=True, max_length=16)
        found["padded"] = {key: [list(row) for row in value] for key, value in padded.items()}
    return found


@pytest.mark.parametrize("name", CASES)
def test_tokenizer_answers_as_recorded(name: str, tmp_path: Path) -> None:
    case = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    (tmp_path / "given").mkdir()
    tokenizer = build(case, tmp_path / "given")
    expected = {key: case[key] for key in case if key not in ("class", "files", "options", "texts")}
    assert answers(tokenizer, case) == expected
    tokenizer.save_pretrained(tmp_path / "saved")
    again = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert answers(again, case) == expected
    again.save_pretrained(tmp_path / "twice")
    for path in (tmp_path / "saved").iterdir():
        assert path.read_bytes() == (tmp_path / "twice" / path.name).read_bytes(), path.name
