"""Florence-2's processor: a task's token becomes its question, behind the placeholders of the image."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.florence2.processor import Florence2Processor
from zoo_vision.processing.classification import CLIPImageProcessor

IMAGE = np.zeros((20, 30, 3), dtype=np.uint8)
WORDS = ["<unk>", "<pad>", "<s>", "</s>", "<image>", "What", "does", "the", "image", "describe?", "cat"]


@pytest.fixture(scope="module")
def processor() -> Any:
    made = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    ends = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made,
        **ends,
        additional_special_tokens=["<image>"],
        extra_special_tokens={"image_token": "<image>"},
    )
    images = CLIPImageProcessor(size={"height": 8, "width": 8}, do_center_crop=False)
    images.image_seq_length = 2
    return Florence2Processor(images, tokenizer, num_additional_image_tokens=1)


@pytest.mark.parametrize(
    ("prompt", "ids"),
    [
        ("<CAPTION>", [5, 6, 7, 8, 9]),
        ("<REGION_TO_DESCRIPTION>cat", [5, 6, 7, 0, 10, 9]),
        ("the cat", [7, 10]),
    ],
)
def test_a_task_becomes_its_question(processor: Any, prompt: str, ids: list[int]) -> None:
    assert processor(images=IMAGE, text=prompt)["input_ids"] == [[4, 4, 4, 2, *ids, 3]]


@pytest.mark.parametrize(
    ("texts", "told"), [("<CAPTION>cat", "<CAPTION> alone"), (["cat", "cat"], "1 images came with 2 texts")]
)
def test_a_wrong_prompt_is_told(processor: Any, texts: Any, told: str) -> None:
    with pytest.raises(ProcessingError, match=told):
        processor(images=IMAGE, text=texts)
