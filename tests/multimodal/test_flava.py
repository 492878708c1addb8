"""FLAVA: objectives by what is given, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_multimodal.flava.config import FlavaConfig
from zoo_multimodal.flava.model import FlavaModel
from zoo_multimodal.flava.pretraining import FlavaForPreTraining

SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
IDS, PIXELS = torch.tensor([[3, 4, 5], [6, 7, 0]]), torch.rand(2, 3, 8, 8)
MASKED = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 0]])


def config(**values: Any) -> FlavaConfig:
    return FlavaConfig(
        text_config={**SIZES, "vocab_size": 20},
        image_config={**SIZES, "image_size": 8, "patch_size": 4, "vocab_size": 12},
        multimodal_config=SIZES,
        image_codebook_config={"hidden_size": 8, "vocab_size": 12},
        hidden_size=16,
        projection_dim=8,
        **values,
    )


def test_padding_of_the_text_is_not_seen() -> None:
    torch.manual_seed(0)
    model = FlavaModel(config()).eval()
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    both = model(IDS, PIXELS, attention_mask=mask).multimodal_output.pooler_output
    alone = model(IDS[1:, :2], PIXELS[1:]).multimodal_output.pooler_output
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("given", "objectives"),
    [
        ({"input_ids": IDS, "mlm_labels": IDS}, {"mlm"}),
        ({"pixel_values": PIXELS, "bool_masked_pos": MASKED, "mim_labels": MASKED}, {"mim"}),
        (
            {"input_ids": IDS, "pixel_values": PIXELS, "itm_labels": torch.tensor([1, 0]), "mlm_labels": IDS},
            {"itm", "mmm_text", "global_contrastive"},
        ),
        (
            {
                "input_ids": IDS,
                "pixel_values": PIXELS,
                "bool_masked_pos": MASKED,
                "codebook_pixel_values": torch.rand(2, 3, 16, 16),
            },
            {"mmm_image", "global_contrastive"},
        ),
    ],
)
def test_objectives_are_those_of_what_is_given(given: dict[str, Any], objectives: set[str]) -> None:
    output = FlavaForPreTraining(config()).eval()(**given)
    assert set(output.loss_info.keys()) == objectives
    torch.testing.assert_close(output.loss, sum(output.loss_info.values()))


def test_bad_input_is_named() -> None:
    model = FlavaModel(config())
    with pytest.raises(ValueError, match="2 texts came with 1 images"):
        model(IDS, PIXELS[:1])
    with pytest.raises(ValueError, match="input_ids, pixel_values or both"):
        model()
    with pytest.raises(ValueError, match="need bool_masked_pos"):
        FlavaForPreTraining(config())(pixel_values=PIXELS, mim_labels=MASKED)
