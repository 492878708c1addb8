"""Pix2Struct: texts that are drawn or written on, and decoding with and without a cache."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo_core import AutoModelForImageTextToText
from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.pix2struct.config import Pix2StructConfig
from zoo_multimodal.pix2struct.model import Pix2StructForConditionalGeneration
from zoo_multimodal.pix2struct.processor import Pix2StructProcessor
from zoo_vision.processing.patches import Pix2StructImageProcessor

SIZES = {"hidden_size": 16, "d_kv": 8, "d_ff": 24}
PICTURE = np.full((32, 64, 3), 7, dtype=np.uint8)


@pytest.fixture
def processor(words: PreTrainedTokenizerFast) -> Pix2StructProcessor:
    return Pix2StructProcessor(Pix2StructImageProcessor(max_patches=12), words)


@pytest.fixture(scope="module")
def model() -> Pix2StructForConditionalGeneration:
    torch.manual_seed(0)
    config = Pix2StructConfig(
        text_config={**SIZES, "num_layers": 2, "num_heads": 2, "vocab_size": 40},
        vision_config={
            **SIZES, "num_hidden_layers": 1, "num_attention_heads": 2, "patch_embed_hidden_size": 768,
            "seq_len": 16,
        },
    )  # fmt: skip
    made = AutoModelForImageTextToText.from_config(config).eval()
    assert isinstance(made, Pix2StructForConditionalGeneration)
    return made


def test_text_is_what_the_decoder_goes_on_from(
    processor: Pix2StructProcessor, model: Pix2StructForConditionalGeneration
) -> None:
    inputs = processor(
        images=[PICTURE] * 2, text=["what why", "why what"], return_tensors="pt", add_special_tokens=False
    )
    assert inputs["decoder_input_ids"].tolist() == [[2, 3], [3, 2]] and "input_ids" not in inputs
    four = {"max_new_tokens": 4, "min_new_tokens": 4, "do_sample": False}
    cached = model.generate(**inputs, use_cache=True, **four)
    assert cached.tolist() == model.generate(**inputs, use_cache=False, **four).tolist()
    assert cached[:, :3].tolist() == [[0, 2, 3], [0, 3, 2]]


def test_a_question_is_drawn_above_its_picture(processor: Pix2StructProcessor) -> None:
    plain = processor(images=PICTURE)
    drawn = processor(images=PICTURE, text="why", is_vqa=True)
    assert set(drawn) == {"flattened_patches", "attention_mask"}
    assert drawn["flattened_patches"][0][:, 2:].max() > plain["flattened_patches"][0][:, 2:].max() + 0.5
    with pytest.raises(ProcessingError, match="header_text"):
        processor(images=PICTURE, is_vqa=True)


def test_text_alone_is_tokenized(processor: Pix2StructProcessor) -> None:
    assert processor(text="what why")["input_ids"] == [2, 3, 1]


def test_patches_without_their_place_are_refused(model: Pix2StructForConditionalGeneration) -> None:
    with pytest.raises(ValueError, match=r"\(batch, patches, 770\), row and column first.*768"):
        model(torch.zeros(1, 4, 768), decoder_input_ids=torch.zeros(1, 1, dtype=torch.int64))
