"""LayoutLMv2: the published backbone's sizes, names that checkpoints have besides, bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from zoo_core import AutoModel
from zoo_core.errors import ConfigError
from zoo_multimodal.layoutlmv2.backbone import VisualBackbone
from zoo_multimodal.layoutlmv2.config import LayoutLMv2Config
from zoo_multimodal.layoutlmv2.model import LayoutLMv2ForQuestionAnswering, LayoutLMv2Model

RECORDED = Path(__file__).parents[1] / "parity/cases/layoutlmv2/LayoutLMv2Model.Small.json"
CONFIG: dict[str, Any] = json.loads(RECORDED.read_text())["config"]


def small() -> LayoutLMv2Model:
    torch.manual_seed(0)
    return LayoutLMv2Model(LayoutLMv2Config.from_dict(CONFIG)).eval()


def test_the_backbone_has_the_published_sizes() -> None:
    with torch.device("meta"):
        backbone = VisualBackbone(LayoutLMv2Config())
    shapes = {name: tuple(x.shape) for name, x in backbone.state_dict().items()}
    assert len(shapes) == 536 and sum(x.numel() for x in backbone.state_dict().values()) == 90_289_600
    assert shapes["backbone.bottom_up.stem.conv1.weight"] == (64, 3, 7, 7)
    assert shapes["backbone.bottom_up.res2.0.shortcut.norm.running_var"] == (256,)
    assert shapes["backbone.bottom_up.res4.22.conv2.weight"] == (1024, 32, 3, 3)
    assert shapes["backbone.fpn_lateral5.weight"] == (256, 2048, 1, 1)


def test_the_grid_of_a_page_of_any_size() -> None:
    backbone = small().visual
    assert backbone(torch.zeros(2, 3, 64, 96)).shape == (2, 9, 6)
    with pytest.raises(ValueError, match="multiples of 32"):
        backbone(torch.zeros(1, 3, 60, 64))


def test_names_that_checkpoints_have_besides(tmp_path: Path) -> None:
    model = small()
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights["visual.pixel_mean"] = torch.zeros(3, 1, 1)
    weights["embeddings.position_ids"] = torch.arange(20)[None]
    weights["visual.backbone.bottom_up.stem.conv1.norm.num_batches_tracked"] = torch.tensor(0)
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    loaded, info = AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    assert torch.equal(loaded.visual.pixel_mean, model.visual.pixel_mean)


def test_answers_are_words() -> None:
    model = LayoutLMv2ForQuestionAnswering(LayoutLMv2Config.from_dict(CONFIG)).eval()
    inputs = {"input_ids": torch.ones(1, 4, dtype=torch.long), "image": torch.zeros(1, 3, 64, 64)}
    assert model(**inputs).start_logits.shape == (1, 4)
    assert model.model.visual_segment_embedding.shape == (24,)


def test_bad_input() -> None:
    model, ids = small(), torch.ones(1, 4, dtype=torch.long)
    with pytest.raises(ValueError, match="pass image="):
        model(ids)
    with pytest.raises(ValueError, match="input_ids or inputs_embeds"):
        model(image=torch.zeros(1, 3, 64, 64))
    with pytest.raises(ValueError, match="bbox holds 1200"):
        model(ids, torch.full((1, 4, 4), 1200), torch.zeros(1, 3, 64, 64))
    with pytest.raises(ConfigError, match="DEPTH"):
        LayoutLMv2Config(detectron2_config_args={"MODEL.RESNETS.DEPTH": 18})
