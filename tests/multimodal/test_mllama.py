"""Mllama: which words see which images, padding of tiles and texts."""

from __future__ import annotations

import pytest
import torch

from zoo_multimodal.mllama.config import MllamaConfig
from zoo_multimodal.mllama.model import MllamaForConditionalGeneration
from zoo_multimodal.mllama.processor import spans


def test_images_that_follow_each_other_are_seen_by_the_same_words() -> None:
    assert spans([9, 9, 1, 9, 2], 9) == [(0, 3), (1, 3), (3, 5)]
    assert spans([1, 2], 9) == []


@pytest.fixture
def model() -> MllamaForConditionalGeneration:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 16}
    config = MllamaConfig(
        text_config={
            **sizes, "vocab_size": 20, "num_attention_heads": 2, "num_key_value_heads": 1,
            "cross_attention_layers": [1], "pad_token_id": 0, "eos_token_id": None,
        },
        vision_config={
            **sizes, "attention_heads": 2, "image_size": 8, "patch_size": 4, "num_global_layers": 1,
            "intermediate_layers_indices": [0], "vision_output_dim": 32,
        },
    )  # fmt: skip
    made = MllamaForConditionalGeneration(config).eval()
    for name, parameter in made.named_parameters():
        if "gate" in name:
            torch.nn.init.ones_(parameter)
    return made


def test_left_padding_does_not_change_what_is_written(model: MllamaForConditionalGeneration) -> None:
    image = {
        "pixel_values": torch.rand(1, 1, 4, 3, 8, 8),
        "aspect_ratio_ids": torch.tensor([[2]]),
        "aspect_ratio_mask": torch.tensor([[[1, 1, 0, 0]]]),
    }
    ids, seen = torch.tensor([[5, 6, 7]]), torch.tensor([0, 1, 1]).view(1, 3, 1, 1).expand(-1, -1, -1, 4)
    short = model.generate(ids, cross_attention_mask=seen, max_new_tokens=4, **image)
    pads = torch.zeros(1, 2, dtype=torch.long)
    long = model.generate(
        torch.cat((pads, ids), 1),
        attention_mask=torch.tensor([[0, 0, 1, 1, 1]]),
        cross_attention_mask=torch.cat((seen[:, :1], seen[:, :1], seen), 1),
        max_new_tokens=4,
        **image,
    )
    assert short[:, 3:].tolist() == long[:, 5:].tolist()


def test_bad_input_is_named(model: MllamaForConditionalGeneration) -> None:
    with pytest.raises(ValueError, match="need aspect_ratio_ids"):
        model(torch.tensor([[5]]), pixel_values=torch.rand(1, 1, 4, 3, 8, 8))
    with pytest.raises(ValueError, match="as the processor makes them"):
        model(
            torch.tensor([[5]]), pixel_values=torch.rand(1, 4, 3, 8, 8),
            aspect_ratio_ids=torch.tensor([[1]]), aspect_ratio_mask=torch.ones(1, 1, 4),
        )  # fmt: skip
