"""CLIP's relatives: features of either tower, their loss, and a tower loaded alone from the whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from zoo_multimodal.align import config as align_config, model as align
from zoo_multimodal.altclip import config as altclip_config, model as altclip
from zoo_multimodal.chinese_clip import config as chinese_config, model as chinese_clip
from zoo_multimodal.metaclip_2 import config as metaclip_config, model as metaclip_2

SIZES = {
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
}
IMAGES = {**SIZES, "image_size": 16, "patch_size": 8}
TEXTS = {**SIZES, "vocab_size": 30, "max_position_embeddings": 20}
NET = {
    "in_channels": [32, 16],
    "out_channels": [16, 24],
    "kernel_sizes": [3, 3],
    "strides": [1, 2],
    "num_block_repeats": [1, 1],
    "expand_ratios": [1, 2],
    "width_coefficient": 0.5,
    "depth_coefficient": 1.0,
}
FAMILY: list[Any] = [
    (metaclip_2.MetaClip2Model, metaclip_config.MetaClip2Config, TEXTS | {"eos_token_id": 2}, IMAGES, 6),
    (chinese_clip.ChineseCLIPModel, chinese_config.ChineseCLIPConfig, TEXTS, IMAGES, 6),
    (altclip.AltCLIPModel, altclip_config.AltCLIPConfig, TEXTS | {"project_dim": 5}, IMAGES, 6),
    (align.AlignModel, align_config.AlignConfig, TEXTS, NET, 16),
]
IDS = torch.tensor([[5, 6, 7, 2], [9, 2, 1, 1]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
PIXELS = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("kind", "config", "text", "vision", "width"), FAMILY, ids=lambda v: getattr(v, "__name__", "")
)
def test_features_and_loss(
    kind: type[Any], config: type[Any], text: Any, vision: Any, width: int, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = kind(config(text_config=text, vision_config=vision, projection_dim=width)).eval()
    output = model(input_ids=IDS, pixel_values=PIXELS, attention_mask=MASK, return_loss=True)
    texts = model.get_text_features(IDS, attention_mask=MASK)
    images = model.get_image_features(PIXELS)
    assert torch.allclose(torch.nn.functional.normalize(texts, dim=-1), output.text_embeds, atol=1e-6)
    assert torch.allclose(torch.nn.functional.normalize(images, dim=-1), output.image_embeds, atol=1e-6)
    assert output.loss.isfinite() and torch.equal(output.logits_per_image, output.logits_per_text.t())
    model.save_pretrained(tmp_path)
    again = kind.from_pretrained(tmp_path)
    assert torch.equal(again.get_text_features(IDS, attention_mask=MASK), texts)


def test_a_tower_loads_from_the_whole(tmp_path: Path) -> None:
    kind, config, text, vision, width = FAMILY[0]
    model = kind(config(text_config=text, vision_config=vision, projection_dim=width)).eval()
    model.save_pretrained(tmp_path)
    tower, info = metaclip_2.MetaClip2TextModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert torch.equal(tower(IDS).pooler_output, model.text_model(IDS).pooler_output)
