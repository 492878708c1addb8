"""Checkpoints as timm writes them: no model_type, no preprocessor_config.json, plain names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from zoo_core import AutoConfig, AutoImageProcessor, AutoModel, AutoModelForImageClassification
from zoo_core.errors import ConfigError, ProcessingError
from zoo_vision.timm_wrapper.config import TimmWrapperConfig
from zoo_vision.timm_wrapper.model import TimmWrapperForImageClassification
from zoo_vision.timm_wrapper.processor import transform_of

SETTINGS = {
    "architecture": "resnet18",
    "tag": "a1_in1k",
    "input_size": [3, 64, 64],
    "interpolation": "bilinear",
    "crop_pct": 0.95,
    "crop_mode": "center",
    "mean": [0.5, 0.4, 0.3],
    "std": [0.2, 0.2, 0.2],
    "num_classes": 6,
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("timm")
    made = TimmWrapperForImageClassification(TimmWrapperConfig(architecture="resnet18", num_classes=6))
    made.save_pretrained(folder / "own")
    weights = load_file(folder / "own" / "model.safetensors")
    assert {"conv1.weight", "layer4.1.bn2.running_var", "fc.bias"} < set(weights)
    save_file(weights, folder / "model.safetensors")
    values = {"architecture": "resnet18", "num_classes": 6, "num_features": 512, "pretrained_cfg": SETTINGS}
    (folder / "config.json").write_text(json.dumps(values))
    return folder


def test_the_auto_classes_know_it(repository: Path, tmp_path: Path) -> None:
    config = AutoConfig.from_pretrained(repository)
    assert (config.model_type, config.num_labels) == ("timm_wrapper", 6)
    image = torch.rand(2, 3, 64, 64)
    base = AutoModel.from_pretrained(repository)
    model = AutoModelForImageClassification.from_pretrained(repository)
    outputs = base(image, output_hidden_states=True)
    assert [x.shape[1] for x in outputs.hidden_states] == [64, 64, 128, 256, 512]
    assert base(image, do_pooling=False).pooler_output is None
    torch.testing.assert_close(model(image).logits, model.classifier(outputs.pooler_output))
    model.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "config.json").read_text())
    assert saved["num_classes"] == len(saved["label_names"]) == 6
    assert AutoConfig.from_pretrained(tmp_path).id2label[5] == "LABEL_5"


def test_images_as_the_model_had_them(repository: Path, tmp_path: Path) -> None:
    processor = AutoImageProcessor.from_pretrained(repository)
    assert (processor.size, processor.resample) == ({"shortest_edge": 67}, 2)
    picture = np.random.RandomState(0).randint(0, 255, (90, 120, 3), dtype=np.uint8)
    values = processor(picture, return_tensors="np")["pixel_values"]
    assert values.shape == (1, 3, 64, 64)
    processor.save_pretrained(tmp_path)
    again = AutoImageProcessor.from_pretrained(tmp_path)
    assert np.array_equal(again(picture, return_tensors="np")["pixel_values"], values)


def test_the_middle_of_an_odd_margin_is_where_timm_has_it(repository: Path) -> None:
    processor = AutoImageProcessor.from_pretrained(repository, do_resize=False, do_normalize=False)
    for height, top in ((67, 2), (69, 2), (65, 0)):  # half of 3, 5 and 1, to the even number
        rows = np.broadcast_to(np.arange(height, dtype=np.uint8)[:, None, None], (height, 64, 3))
        values = processor(rows, do_rescale=False, return_tensors="np")["pixel_values"]
        assert values[0, 0, 0, 0] == top


@pytest.mark.parametrize("change", [{"crop_mode": "border"}, {"interpolation": "hann"}])
def test_transforms_that_are_not_known(change: dict[str, str]) -> None:
    with pytest.raises(ProcessingError, match=next(iter(change.values()))):
        transform_of({**SETTINGS, **change})


def test_other_networks_are_named(tmp_path: Path) -> None:
    values = {"architecture": "vit_small", "num_classes": 6, "pretrained_cfg": {}}
    with pytest.raises(ConfigError, match=r"'vit_small' is not among .* resnet50"):
        AutoModel.from_config(TimmWrapperConfig(**values))


def test_a_perception_encoder_by_its_own_name(tmp_path: Path) -> None:
    settings = {"depth": 1, "embed_dim": 32, "num_heads": 2, "img_size": [28, 28]}
    config = AutoConfig.for_model(
        "perception_encoder", architecture="vit_pe_lang_large_patch14_448", model_args=settings
    )
    model = AutoModel.from_config(config).eval()
    outputs = model(torch.rand(2, 3, 28, 28), output_hidden_states=True)
    assert outputs.last_hidden_state.shape == (2, 5, 32)
    assert outputs.pooler_output.shape == (2, 32)
    assert [one.shape for one in outputs.hidden_states] == [(2, 32, 2, 2)]
    with pytest.raises(ConfigError, match="not among timm's Perception Encoders"):
        AutoModel.from_config(AutoConfig.for_model("timm_wrapper", architecture="vit_pe_core_huge"))
    with pytest.raises(ValueError, match="images are"):
        model(torch.rand(1, 3, 56, 56))
