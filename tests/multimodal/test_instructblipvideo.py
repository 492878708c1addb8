"""InstructBLIP for videos: placeholders for the queries of every frame, in the text and in the model."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zoo_core import AutoModelForVision2Seq
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.instructblipvideo.config import InstructBlipVideoConfig
from zoo_multimodal.instructblipvideo.model import InstructBlipVideoForConditionalGeneration
from zoo_multimodal.instructblipvideo.processor import InstructBlipVideoProcessor
from zoo_vision.processing.videos import InstructBlipVideoVideoProcessor

SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
TEXT = {"model_type": "opt", "hidden_size": 16, "ffn_dim": 24, "num_hidden_layers": 1, "vocab_size": 10,
        "num_attention_heads": 2, "word_embed_proj_dim": 16, "bos_token_id": 1}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> InstructBlipVideoForConditionalGeneration:
    torch.manual_seed(0)
    config = InstructBlipVideoConfig(
        {**SIZES, "image_size": 28}, {**SIZES, "vocab_size": 10}, TEXT, 2, video_token_index=4
    )
    with pytest.warns(FutureWarning, match="deprecated"):
        made = AutoModelForVision2Seq.from_config(config).eval()
    assert isinstance(made, InstructBlipVideoForConditionalGeneration)
    return made


@pytest.mark.parametrize("frames", [2, 3])
def test_every_frame_is_read(
    model: InstructBlipVideoForConditionalGeneration, words: PreTrainedTokenizerFast, frames: int
) -> None:
    words.add_tokens(["<video>"], special_tokens=True)
    processor = InstructBlipVideoProcessor(
        InstructBlipVideoVideoProcessor(size={"height": 28, "width": 28}), words, words, num_query_tokens=2
    )
    clip = [np.full((30, 30, 3), 50 * i, dtype=np.uint8) for i in range(frames)]
    inputs = processor(videos=[clip], text="what why", return_tensors="pt")
    assert inputs["pixel_values"].shape == (1, frames, 3, 28, 28)
    assert inputs["input_ids"].tolist() == [[4] * 2 * frames + [2, 3, 1]]
    assert inputs["qformer_input_ids"].tolist() == [[2, 3, 1]]
    output = model(**inputs)
    assert output.qformer_outputs.last_hidden_state.shape[0] == frames
    three = {"max_new_tokens": 3, "min_new_tokens": 3, "do_sample": False}
    assert model.generate(**inputs, **three).shape == (1, 2 * frames + 6)
    alone = {name: inputs[name] for name in ("pixel_values", "qformer_input_ids", "qformer_attention_mask")}
    assert model.generate(**alone, **three)[0, : 2 * frames + 1].tolist() == [4] * 2 * frames + [1]


def test_an_image_is_no_video(model: InstructBlipVideoForConditionalGeneration) -> None:
    with pytest.raises(ValueError, match="batch, frames, channels"):
        model(torch.zeros(1, 3, 28, 28), input_ids=torch.tensor([[4, 4, 2]]))
