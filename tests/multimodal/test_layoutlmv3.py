"""LayoutLMv3: pages that are read by a program, boxes that cannot be, and where patches lie."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from zoo_core import AutoModel, AutoProcessor
from zoo_core.errors import ConfigError, ProcessingError
from zoo_multimodal.layoutlmv3.config import LayoutLMv3Config
from zoo_multimodal.layoutlmv3.model import patch_boxes

RECORDED = Path(__file__).parents[1] / "parity/processors/joint/LayoutLMv3Processor.json"
PAGE = np.zeros((40, 80, 3), np.uint8)


def image_to_data(image: Any, **options: Any) -> dict[str, list[Any]]:
    """What tesseract answers: two words, and a gap."""
    return {"text": ["Hi", " ", "you"], "left": [8, 0, 40], "top": [4, 0, 20], "width": [8, 1, 16],
            "height": [4, 1, 8]}  # fmt: skip


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, text in json.loads(RECORDED.read_text())["files"].items():
        (tmp_path / name).write_text(text.replace('"apply_ocr":false', '"apply_ocr":true'))
    monkeypatch.setitem(sys.modules, "pytesseract", SimpleNamespace(image_to_data=image_to_data))
    return AutoProcessor.from_pretrained(tmp_path)


def test_words_and_boxes_are_read_from_the_page(reader: Any) -> None:
    batch = reader(PAGE)
    assert reader.decode(batch["input_ids"][0], skip_special_tokens=True) == " Hi you"
    assert batch["bbox"][0][1] == [100, 100, 200, 200] and batch["bbox"][0][-2] == [500, 500, 700, 700]
    asked = reader([PAGE, PAGE], ["who", "what"], padding=True, return_tensors="pt")
    assert asked["bbox"].shape == (2, 16, 4) and asked["pixel_values"].shape == (2, 3, 20, 20)


@pytest.mark.parametrize("given", [{"boxes": [[1, 2, 3, 4]]}, {"word_labels": [1]}])
def test_a_page_that_is_read_takes_no_boxes(reader: Any, given: dict[str, Any]) -> None:
    with pytest.raises(ProcessingError, match="apply_ocr=False"):
        reader(PAGE, ["a"], **given)


def test_words_without_boxes(reader: Any) -> None:
    reader.image_processor.apply_ocr = False
    with pytest.raises(ProcessingError, match="needs boxes="):
        reader(PAGE, ["a"])


def test_boxes_of_patches() -> None:
    assert patch_boxes(2, 3, torch.device("cpu")).tolist() == [
        [1, 1, 999, 999], [0, 0, 333, 500], [333, 0, 666, 500], [666, 0, 1000, 500],
        [0, 500, 333, 1000], [333, 500, 666, 1000], [666, 500, 1000, 1000],
    ]  # fmt: skip


def test_a_box_outside_the_page() -> None:
    sizes = {"hidden_size": 12, "coordinate_size": 2, "shape_size": 2, "num_attention_heads": 2}
    config = LayoutLMv3Config(
        vocab_size=9, num_hidden_layers=1, intermediate_size=8, visual_embed=False, **sizes
    )
    model = AutoModel.from_config(config)
    with pytest.raises(ValueError, match="bbox holds 5000; coordinates must be 0 to 1000"):
        model(torch.tensor([[3]]), torch.tensor([[[0, 0, 5000, 2]]]))
    with pytest.raises(ValueError, match="pass input_ids"):
        model()
    with pytest.raises(ConfigError, match="must be hidden_size"):
        LayoutLMv3Config(hidden_size=24, num_attention_heads=2)
