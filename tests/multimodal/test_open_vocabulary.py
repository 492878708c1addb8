"""OWL-ViT and CLIPSeg: what is looked for is a text or an image."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.clipseg.config import CLIPSegConfig
from zoo_multimodal.clipseg.model import CLIPSegForImageSegmentation
from zoo_multimodal.clipseg.processor import CLIPSegProcessor
from zoo_multimodal.owlvit.config import OwlViTConfig
from zoo_multimodal.owlvit.model import OwlViTForObjectDetection
from zoo_multimodal.owlvit.processor import OwlViTProcessor
from zoo_vision.processing.classification import ViTImageProcessor
from zoo_vision.processing.padded import OwlViTImageProcessor

SIZES = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2}
TOWERS = {
    "text_config": {**SIZES, "vocab_size": 30},
    "vision_config": {**SIZES, "image_size": 16, "patch_size": 8},
    "projection_dim": 8,
}
SIZE = {"height": 16, "width": 16}
IMAGES = [np.zeros((20, 30, 3), np.uint8), np.full((9, 9, 3), 255, np.uint8)]


@pytest.fixture
def owl(words: PreTrainedTokenizerFast) -> OwlViTProcessor:
    return OwlViTProcessor(OwlViTImageProcessor(size=SIZE), words)


@pytest.fixture
def seg(words: PreTrainedTokenizerFast) -> CLIPSegProcessor:
    return CLIPSegProcessor(ViTImageProcessor(size=SIZE), words)


def test_every_image_has_as_many_queries(owl: OwlViTProcessor) -> None:
    text = [["what", "why why"], ["why"]]
    found = owl(text=text, images=IMAGES, return_tensors="pt", padding="longest")
    assert found["input_ids"].tolist() == [[2, 1, 0], [3, 3, 1], [3, 1, 0], [1, 0, 0]]
    assert found["pixel_values"].shape == (2, 3, 16, 16)


def test_boxes_carry_their_query(owl: OwlViTProcessor) -> None:
    logits = torch.tensor([[[5.0, -5.0], [-5.0, 6.0], [-5.0, -5.0]]])
    outputs = SimpleNamespace(logits=logits, pred_boxes=torch.full((1, 3, 4), 0.5))
    (found,) = owl.post_process_grounded_object_detection(outputs, 0.5, [(20, 40)], [["cat", "dog"]])
    assert found["text_labels"] == ["cat", "dog"]
    assert found["boxes"].tolist() == [[10.0, 5.0, 30.0, 15.0]] * 2
    with pytest.raises(ProcessingError, match="1 images came with 2 lists"):
        owl.post_process_grounded_object_detection(outputs, 0.5, None, [["cat"], ["dog"]])


@pytest.mark.parametrize(
    ("inputs", "message"),
    [({}, "images, text or query_images"), ({"text": ["what", ["why"]]}, "list of lists")],
)
def test_owl_says_what_it_takes(owl: OwlViTProcessor, inputs, message: str) -> None:
    with pytest.raises(ProcessingError, match=message):
        owl(**inputs)


def test_an_image_is_found_in_itself() -> None:
    torch.manual_seed(0)
    model = OwlViTForObjectDetection(OwlViTConfig(**TOWERS)).eval()
    pixels = torch.rand(2, 3, 16, 16)
    found = model.image_guided_detection(pixels, pixels)
    assert found.logits.shape == (2, 4, 1) and found.target_pred_boxes.equal(found.query_pred_boxes)
    with pytest.raises(ValueError, match="3 texts cannot be shared out among 2 images"):
        model(torch.ones(3, 4, dtype=torch.long), pixels)


def test_a_prompt_is_a_text_or_an_image(seg: CLIPSegProcessor) -> None:
    found = seg(images=IMAGES, visual_prompt=IMAGES, return_tensors="pt")
    assert sorted(found) == ["conditional_pixel_values", "pixel_values"]
    assert seg(text="why")["input_ids"] == [3, 1]
    with pytest.raises(ProcessingError, match="not both"):
        seg(text="why", visual_prompt=IMAGES)


@pytest.mark.parametrize("size", [16, 32])
def test_prompts_agree_with_their_embeddings(size: int) -> None:
    torch.manual_seed(0)
    config = CLIPSegConfig(**TOWERS, extract_layers=[0, 1], reduce_dim=8, decoder_intermediate_size=8)
    model = CLIPSegForImageSegmentation(config).eval()
    pixels, prompt = torch.rand(2, 3, size, size), torch.rand(2, 3, 16, 16)
    found = model(pixel_values=pixels, conditional_pixel_values=prompt)
    given = model(pixel_values=pixels, conditional_embeddings=model.model.get_image_features(prompt))
    assert found.logits.shape == (2, size, size) and found.logits.allclose(given.logits)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "exactly one of input_ids and conditional_pixel_values"),
        ({"input_ids": torch.ones(3, 4, dtype=torch.long)}, "1 images came with 3 texts"),
        ({"conditional_embeddings": torch.ones(1, 3)}, r"shape \(1, 3\), not \(1, 8\)"),
    ],
)
def test_prompts_must_fit(inputs, message: str) -> None:
    config = CLIPSegConfig(**TOWERS, extract_layers=[0], reduce_dim=8)
    with pytest.raises(ValueError, match=message):
        CLIPSegForImageSegmentation(config)(pixel_values=torch.rand(1, 3, 16, 16), **inputs)
