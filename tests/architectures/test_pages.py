"""Encoders of words with boxes: padding, missing boxes, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_text.bros.config import BrosConfig
from zoo_text.bros.model import BrosModel, BrosSpadeELForTokenClassification
from zoo_text.layoutlm.config import LayoutLMConfig
from zoo_text.layoutlm.model import LayoutLMForQuestionAnswering, LayoutLMModel
from zoo_text.lilt.config import LiltConfig
from zoo_text.lilt.model import LiltModel

SIZES: dict[str, Any] = {
    "vocab_size": 20, "hidden_size": 192, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 16,
}  # fmt: skip
IDS = torch.tensor([[5, 6, 7], [8, 9, 1]])
MASK = torch.tensor([[1, 1, 1], [1, 1, 0]])
BOXES = torch.tensor([[[1, 2, 30, 40], [50, 60, 700, 800], [5, 5, 999, 1000]]] * 2)
MODELS = [
    (LayoutLMModel, LayoutLMConfig(**SIZES), BOXES),
    (LiltModel, LiltConfig(**SIZES, pad_token_id=1), BOXES),
    (BrosModel, BrosConfig(**SIZES), BOXES / 1000),
]


@pytest.mark.parametrize(("kind", "config", "boxes"), MODELS)
def test_padding_is_not_seen_and_boxes_are(kind: type[Any], config: Any, boxes: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = kind(config).eval()
    both = model(IDS, bbox=boxes, attention_mask=MASK)
    alone = model(IDS[1:, :2], bbox=boxes[1:, :2])
    torch.testing.assert_close(both.pooler_output[1:], alone.pooler_output, atol=1e-5, rtol=1e-4)
    other = model(IDS[1:, :2], bbox=boxes[1:, 1:])
    assert not torch.allclose(other.last_hidden_state, alone.last_hidden_state)


@pytest.mark.parametrize(("kind", "config", "boxes"), MODELS[:2])
def test_boxes_outside_the_page_are_refused(kind: type[Any], config: Any, boxes: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"bbox holds -1; coordinates must be 0 to 1000"):
        kind(config)(IDS, bbox=boxes - 2)


def test_answers_have_a_loss() -> None:
    ends = torch.tensor([1, 2])
    output = LayoutLMForQuestionAnswering(LayoutLMConfig(**SIZES))(
        IDS, bbox=BOXES, start_positions=ends, end_positions=ends
    )
    assert output.start_logits.shape == (2, 3) and output.loss > 0


def test_bros_names_what_is_missing() -> None:
    model = BrosSpadeELForTokenClassification(BrosConfig(**SIZES))
    with pytest.raises(ValueError, match="needs bbox"):
        model(IDS)
    with pytest.raises(ValueError, match="needs bbox_first_token_mask"):
        model(IDS, bbox=BOXES / 1000, labels=IDS)
