"""KOSMOS-2 and 2.5: features of images at marked places, padding, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_multimodal.kosmos_2.config import Kosmos2Config
from zoo_multimodal.kosmos_2.model import Kosmos2ForConditionalGeneration
from zoo_multimodal.kosmos_2_5.config import Kosmos2_5Config
from zoo_multimodal.kosmos_2_5.model import Kosmos2_5ForConditionalGeneration

TEXT = {"vocab_size": 20, "embed_dim": 16, "layers": 2, "ffn_dim": 16, "attention_heads": 2}
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


def kosmos_2() -> tuple[Any, dict[str, torch.Tensor]]:
    vision = {**SIZES, "image_size": 8, "patch_size": 4}
    config = Kosmos2Config(
        text_config={**TEXT, "eos_token_id": None}, vision_config=vision, latent_query_num=2
    )
    return Kosmos2ForConditionalGeneration(config), {"pixel_values": torch.rand(1, 3, 8, 8)}


def kosmos_2_5() -> tuple[Any, dict[str, torch.Tensor]]:
    vision = {**SIZES, "patch_embed_hidden_size": 12, "head_dim": 8, "max_num_patches": 8}
    config = Kosmos2_5Config(
        text_config={**TEXT, "eos_token_id": None}, vision_config=vision, latent_query_num=2
    )
    patches = torch.cat((torch.tensor([[[1.0, 1.0], [1.0, 2.0]]]), torch.rand(1, 2, 12)), dim=-1)
    return Kosmos2_5ForConditionalGeneration(config), {"flattened_patches": patches}


@pytest.mark.parametrize("make", [kosmos_2, kosmos_2_5])
def test_left_padding_does_not_change_what_is_written(make: Any) -> None:
    torch.manual_seed(0)
    model, image = make()
    model.eval()
    ids, places = torch.tensor([[5, 6, 7, 8]]), torch.tensor([[0, 1, 1, 0]])
    pads = torch.ones(1, 2, dtype=torch.long)
    short = model.generate(input_ids=ids, image_embeds_position_mask=places, max_new_tokens=4, **image)
    long = model.generate(
        input_ids=torch.cat((pads, ids), 1),
        attention_mask=torch.tensor([[0, 0, 1, 1, 1, 1]]),
        image_embeds_position_mask=torch.cat((0 * pads, places), 1),
        max_new_tokens=4,
        **image,
    )
    assert short[:, 4:].tolist() == long[:, 6:].tolist()
    with pytest.raises(ValueError, match="marks 1 places for 2 features"):
        model(input_ids=ids, image_embeds_position_mask=torch.tensor([[0, 1, 0, 0]]), **image)
