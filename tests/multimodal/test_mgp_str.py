"""MGP-STR: of three readings the surest is taken; texts beside pictures are labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.mgp_str.processor import MgpstrProcessor
from zoo_vision.processing.classification import ViTImageProcessor


class Letters:
    """Writes ids as letters, and the ids 1, 2 and 102 as the marks of an end."""

    marks = {1: "[s]", 2: "#", 102: "[SEP]"}

    def batch_decode(self, rows: Any) -> list[str]:
        return ["".join(self.marks.get(int(i), chr(97 + int(i) % 26)) for i in row) for row in rows]


@pytest.fixture
def processor(words: PreTrainedTokenizerFast) -> MgpstrProcessor:
    made = MgpstrProcessor(ViTImageProcessor(size={"height": 8, "width": 16}), words)
    made.bpe_tokenizer = made.wp_tokenizer = Letters()
    return made


def scores(labels: int, ids: list[int], how_sure: float) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor([ids]), labels).float() * how_sure


def test_the_surest_reading_is_taken(processor: MgpstrProcessor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(processor), "char_tokenizer", Letters())
    read = processor.batch_decode(
        [scores(38, [0, 3, 4, 1], 9.0), scores(50, [0, 5, 2, 6], 20.0), scores(120, [0, 7, 8, 9], 30.0)]
    )
    assert read["generated_text"] == ["f"]
    assert (read["char_preds"], read["bpe_preds"], read["wp_preds"]) == (["de"], ["f"], ["hi"])
    assert read["scores"][0] == pytest.approx(1.0, abs=1e-4)
    with pytest.raises(ProcessingError, match="three logits, got 1"):
        processor.batch_decode([scores(38, [0], 1.0)])


def test_texts_beside_pictures_are_labels(processor: MgpstrProcessor) -> None:
    picture = np.zeros((10, 10, 3), dtype=np.uint8)
    both = processor(images=[picture], text=["what why"], return_tensors="pt")
    assert both["labels"].tolist() == [[2, 3, 1]] and both["pixel_values"].shape == (1, 3, 8, 16)
    assert "input_ids" in processor(text="what") and "labels" not in processor(images=picture)
    assert "wp_tokenizer" not in processor.to_dict()
