"""BridgeTower: heads, links and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_multimodal.bridgetower.config import BridgeTowerConfig
from zoo_multimodal.bridgetower.heads import (
    BridgeTowerForContrastiveLearning,
    BridgeTowerForImageAndTextRetrieval,
    BridgeTowerForMaskedLM,
)
from zoo_multimodal.bridgetower.model import BridgeTowerModel

SIZES = {"hidden_size": 128, "num_hidden_layers": 2}
IDS, PIXELS = torch.tensor([[3, 4, 5], [6, 7, 1]]), torch.rand(2, 3, 8, 8)


def config(**values: Any) -> BridgeTowerConfig:
    text = {**SIZES, "vocab_size": 20, "num_attention_heads": 2, "intermediate_size": 16}
    vision = {**SIZES, "image_size": 8, "patch_size": 4}
    return BridgeTowerConfig(text_config=text, vision_config=vision, num_attention_heads=2, **SIZES, **values)


@pytest.mark.parametrize("link", ["add", "scaled_add", "interpolate"])
def test_padding_of_the_text_is_not_seen(link: str) -> None:
    torch.manual_seed(0)
    model = BridgeTowerModel(config(link_tower_type=link)).eval()
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    both = model(IDS, attention_mask=mask, pixel_values=PIXELS)
    alone = model(IDS[1:, :2], pixel_values=PIXELS[1:])
    torch.testing.assert_close(both.pooler_output[1:], alone.pooler_output, atol=1e-5, rtol=1e-4)


def test_heads_and_their_losses() -> None:
    given = {"input_ids": IDS, "pixel_values": PIXELS}
    masked = BridgeTowerForMaskedLM(config()).eval()(**given, labels=IDS)
    assert masked.logits.shape == (2, 3, 20) and masked.loss > 0
    pairs = BridgeTowerForImageAndTextRetrieval(config()).eval()(**given, labels=torch.tensor([1, 0]))
    assert pairs.logits.shape == (2, 2) and pairs.loss > 0
    spaces = BridgeTowerForContrastiveLearning(config()).eval()(**given, return_loss=True)
    assert spaces.logits.shape == (2, 3, 512) and spaces.loss > 0
    torch.testing.assert_close(spaces.logits.norm(dim=-1), torch.ones(2, 3))


def test_bad_input_is_named() -> None:
    model = BridgeTowerModel(config())
    with pytest.raises(ValueError, match="2 texts came with 1 images"):
        model(IDS, pixel_values=PIXELS[:1])
    with pytest.raises(ValueError, match="exactly one of pixel_values and image_embeds"):
        model(IDS)
