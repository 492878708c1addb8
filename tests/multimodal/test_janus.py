"""Janus' processor: marks of images, prompts of images to be drawn, and what was drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.janus.processor import JanusProcessor
from zoo_vision.processing.prompted import JanusImageProcessor

IMAGE = np.zeros((20, 30, 3), dtype=np.uint8)
WORDS = ["<unk>", "<pad>", "<image>", "<boi>", "<eoi>", "a", "cat"]


@pytest.fixture(scope="module")
def processor() -> Any:
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    marks = {"image_token": "<image>", "boi_token": "<boi>", "eoi_token": "<eoi>"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="<unk>", pad_token="<pad>", extra_special_tokens=marks
    )
    return JanusProcessor(JanusImageProcessor(), tokenizer, num_image_tokens=2)


def test_marks_become_placeholders_between_tokens(processor: Any) -> None:
    assert processor(text="a <image> cat", images=IMAGE)["input_ids"] == [[5, 3, 2, 2, 4, 6]]


def test_a_prompt_of_an_image_ends_with_its_beginning(processor: Any) -> None:
    assert processor(text="a cat", generation_mode="image")["input_ids"] == [[5, 6, 3]]


def test_an_unknown_mode_is_told(processor: Any) -> None:
    with pytest.raises(ProcessingError, match="neither"):
        processor(text="a cat", generation_mode="sound")


def test_drawn_values_become_bytes(processor: Any) -> None:
    drawn = processor.postprocess([np.full((2, 2, 3), 3.0), np.full((2, 2, 3), -3.0)])["pixel_values"]
    assert drawn[0][0, 0].tolist() == [255, 255, 255]
    assert drawn[1][0, 0].tolist() == [0, 0, 0]
