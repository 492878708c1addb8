"""Backbones by timm's names: files, stages, and what building one leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from zoo_core import AutoBackbone, AutoConfig, AutoModelForObjectDetection
from zoo_core.errors import ConfigError
from zoo_vision.detr.config import DetrConfig
from zoo_vision.timm_backbone.config import TimmBackboneConfig
from zoo_vision.timm_backbone.model import TimmBackbone
from zoo_vision.timm_backbone.resnet import published

IMAGE = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def small_detr(**options: object) -> DetrConfig:
    sides = {
        f"{side}_{name}": n for side in ("encoder", "decoder") for name, n in (("layers", 1), ("ffn_dim", 8))
    }
    return DetrConfig(backbone="resnet18", d_model=16, num_queries=3, **sides, **options)


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("resnet50", "timm/resnet50.a1_in1k"),
        ("resnet101", "timm/resnet101.a1h_in1k"),
        ("resnet34d", "timm/resnet34d.ra2_in1k"),
        ("timm/resnet18.tv_in1k", "timm/resnet18.tv_in1k"),
    ],
)
def test_where_weights_are_published(name: str, repository: str) -> None:
    assert published(name) == repository


def test_files_of_timm_load_and_those_of_the_backbone_too(tmp_path: Path) -> None:
    config = TimmBackboneConfig(backbone="resnet18", out_indices=[0, 2, 4])
    made = TimmBackbone(config).eval()
    made.save_pretrained(tmp_path / "own")
    weights = load_file(tmp_path / "own" / "model.safetensors")
    assert "_backbone.layer2.0.downsample.1.running_var" in weights
    plain = {name.removeprefix("_backbone."): tensor for name, tensor in weights.items()}
    (tmp_path / "timm").mkdir()
    save_file({**plain, "fc.weight": torch.zeros(9, 512)}, tmp_path / "timm" / "model.safetensors")
    maps = made(IMAGE).feature_maps
    assert [tuple(x.shape[1:]) for x in maps] == [(64, 32, 32), (128, 8, 8), (512, 2, 2)]
    for again in (
        AutoBackbone.from_pretrained(tmp_path / "own"),
        TimmBackbone.from_pretrained(tmp_path / "timm", config=config),
    ):
        assert all(map(torch.equal, maps, again(IMAGE).feature_maps))


def test_a_detector_holds_its_network_under_timms_names(tmp_path: Path) -> None:
    made = AutoModelForObjectDetection.from_config(small_detr()).eval()
    made.save_pretrained(tmp_path)
    names = set(load_file(tmp_path / "model.safetensors"))
    assert "model.backbone.conv_encoder.model.layer4.1.conv2.weight" in names
    assert not [name for name in names if name.endswith("num_batches_tracked")]
    assert AutoConfig.from_pretrained(tmp_path).backbone == "resnet18"
    again = AutoModelForObjectDetection.from_pretrained(tmp_path)
    assert torch.equal(made(IMAGE).pred_boxes, again(IMAGE).pred_boxes)


def test_dilation_keeps_the_last_map_large() -> None:
    shapes = [
        AutoModelForObjectDetection.from_config(small_detr(dilation=dilation)).model.see(IMAGE).mask.shape[1:]
        for dilation in (False, True)
    ]
    assert shapes == [(2, 2), (4, 4)]


def test_a_swin_returns_channels_first_and_is_no_deeper_than_asked(tmp_path: Path) -> None:
    name = "timm/swin_tiny_patch4_window7_224.ms_in1k"
    made = TimmBackbone(TimmBackboneConfig(backbone=name, out_indices=[0, 1])).eval()
    assert made.out_features == ["layers.0", "layers.1"] and made.channels == [96, 192]
    maps = made(IMAGE).feature_maps
    assert [tuple(x.shape[1:]) for x in maps] == [(96, 16, 16), (192, 8, 8)]
    made.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    assert weights["_backbone.layers_1.blocks.1.attn.qkv.weight"].shape == (576, 192)
    assert not any("layers_2" in entry for entry in weights)
    assert all(map(torch.equal, maps, AutoBackbone.from_pretrained(tmp_path)(IMAGE).feature_maps))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backbone": "vit_small"}, "'vit_small' is not among .* resnet18, resnet26, .* also with a 'd'"),
        ({"backbone": None}, "must name a network, for example 'resnet50'"),
        ({"backbone": "swin_huge_patch4_window7_224"}, "'swin_huge.*with a size of tiny, small, base, large"),
        ({"backbone": "swin_tiny_patch4_window7_224", "out_indices": [4]}, "outside of the 4 stages"),
        ({"backbone": "resnet18", "out_indices": [5]}, r"out_indices \[5\] lie outside of the 5 stages"),
        ({"backbone": "resnet50d", "output_stride": 16}, "output_stride of resnet50d must be 32, got 16"),
        ({"backbone": "resnet50", "output_stride": 5}, "output_stride of resnet50 must be 8, 16, 32, got 5"),
    ],
)
def test_what_cannot_be_built(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TimmBackbone(TimmBackboneConfig(**options))
