"""ViLT: images of different sizes, chosen patches, several images for one text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.vilt.config import ViltConfig
from zoo_multimodal.vilt.embeddings import chosen
from zoo_multimodal.vilt.model import (
    ViltForImagesAndTextClassification,
    ViltForMaskedLM,
    ViltForTokenClassification,
    ViltModel,
)
from zoo_multimodal.vilt.processor import ViltProcessor
from zoo_vision.processing.padded import ViltImageProcessor

IDS = torch.tensor([[2, 3, 1]])


def config(**values: Any) -> ViltConfig:
    return ViltConfig(
        vocab_size=10, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
        image_size=8, patch_size=4, initializer_range=0.4, **values,
    )  # fmt: skip


def test_all_patches_are_read_unless_there_are_too_many() -> None:
    kept = torch.tensor([[1, 1, 1, 0, 1], [0, 1, 0, 0, 1]], dtype=torch.bool)
    index, seen = chosen(kept, -1)
    assert sorted(index[0].tolist()) == [0, 1, 2, 4] and index[1, :2].tolist() == [1, 4]
    assert seen.tolist() == [[True] * 4, [True, True, False, False]]
    assert not kept[1, index[1, 2:]].any()
    index, seen = chosen(kept, 2)
    assert index.shape == (2, 2) and seen.all() and kept.gather(1, index).all()


def test_padding_of_an_image_does_not_change_the_answer(words: PreTrainedTokenizerFast) -> None:
    torch.manual_seed(0)
    model = ViltModel(config()).eval()
    processor = ViltProcessor(ViltImageProcessor(size={"shortest_edge": 8}, size_divisor=4), words)
    random = np.random.RandomState(0)
    wide, square = (random.randint(0, 255, (8, side, 3), dtype=np.uint8) for side in (12, 8))
    both = processor(images=[wide, square], text=["what why"] * 2, return_tensors="pt")
    alone = processor(images=square, text="what why", return_tensors="pt")
    assert both["pixel_mask"].sum((1, 2)).tolist() == [96, 64]
    torch.testing.assert_close(model(**both).pooler_output[1:], model(**alone).pooler_output)


@pytest.mark.parametrize("head", [ViltForMaskedLM, ViltForTokenClassification])
def test_heads_on_tokens_score_the_text_alone(head: type[Any]) -> None:
    model = head(config()).eval()
    given = {"pixel_values": torch.rand(1, 3, 8, 8), "labels": torch.tensor([[0, 1, -100]])}
    outputs = model(IDS, **given)
    assert outputs.logits.shape[:2] == (1, 3) and outputs.loss > 0
    vectors = model.get_input_embeddings()(IDS)
    assert model(inputs_embeds=vectors, **given).logits.shape == outputs.logits.shape


def test_several_images_come_in_their_own_dimension() -> None:
    model = ViltForImagesAndTextClassification(config(num_images=2, modality_type_vocab_size=3)).eval()
    outputs = model(IDS, pixel_values=torch.rand(1, 2, 3, 8, 8), output_hidden_states=True)
    assert outputs.logits.shape == (1, 2)
    assert [len(states) for states in outputs.hidden_states] == [2, 2]
    with pytest.raises(ValueError, match="1 images came with each text, but config"):
        model(IDS, pixel_values=torch.rand(1, 3, 8, 8))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "pixel_values and image_embeds"),
        ({"pixel_values": torch.rand(2, 3, 8, 8)}, "1 texts came with 2 images"),
        ({"pixel_values": torch.rand(1, 3, 8, 8), "pixel_mask": torch.ones(1, 8)}, "pixel_mask is"),
    ],
)
def test_bad_input_is_named(inputs: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ViltModel(config())(IDS, **inputs)
