"""TrOCR's processor: pictures of text, and the text as labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zoo_core import AutoProcessor
from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.trocr.processor import TrOCRProcessor
from zoo_vision.processing.classification import ViTImageProcessor

PICTURE = np.zeros((10, 12, 3), dtype="uint8")


@pytest.fixture
def processor() -> TrOCRProcessor:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit

    backend = Tokenizer(WordLevel({"<pad>": 0, "total": 1, "due": 2}, unk_token="<pad>"))
    backend.pre_tokenizer = WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>")
    return TrOCRProcessor(ViTImageProcessor(size={"height": 8, "width": 8}), tokenizer)


def test_texts_beside_pictures_are_labels(processor: TrOCRProcessor, tmp_path: Path) -> None:
    batch = processor([PICTURE] * 2, text=["total due", "due"], padding=True, return_tensors="pt")
    assert list(batch) == processor.model_input_names == ["pixel_values", "labels"]
    assert batch["labels"].tolist() == [[1, 2], [2, 0]] and batch["pixel_values"].shape == (2, 3, 8, 8)
    processor.save_pretrained(tmp_path)
    again = AutoProcessor.from_pretrained(tmp_path)
    assert type(again) is TrOCRProcessor and again.batch_decode([[1, 2]]) == ["total due"]


def test_either_input_alone_and_none(processor: TrOCRProcessor) -> None:
    assert processor(text="due")["input_ids"] == [2]
    assert list(processor(PICTURE)) == ["pixel_values"]
    with pytest.raises(ProcessingError, match="called without images or text"):
        processor()
