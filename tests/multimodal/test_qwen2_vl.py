"""Qwen2-VL: positions of three axes, images of any size, and the layouts of its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from zoo_core import AutoConfig, AutoModel, AutoModelForImageTextToText
from zoo_core.errors import ConfigError
from zoo_multimodal.qwen2_vl.config import Qwen2VLConfig
from zoo_multimodal.qwen2_vl.model import Qwen2VLForConditionalGeneration

IMAGE, VIDEO, START, END = 4, 5, 3, 6
TEXT = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "rope_scaling": {"type": "mrope", "mrope_section": [2, 1, 1]},
    "bos_token_id": 0,
    "eos_token_id": 1,
}
SETTINGS = {
    "vision_config": {"depth": 2, "embed_dim": 32, "num_heads": 4, "hidden_size": 32},
    "image_token_id": IMAGE,
    "video_token_id": VIDEO,
    "vision_start_token_id": START,
    "vision_end_token_id": END,
    "tie_word_embeddings": False,
}


@pytest.fixture(scope="module")
def model() -> Qwen2VLForConditionalGeneration:
    torch.manual_seed(0)
    config = Qwen2VLConfig(text_config={**TEXT, "tie_word_embeddings": False}, **SETTINGS)
    made = AutoModelForImageTextToText.from_config(config).eval()
    for parameter in made.parameters():
        parameter.data.normal_(std=0.2)
    return made


def inputs() -> dict[str, torch.Tensor]:
    """Two texts, the shorter padded on the left; the first has two images, the second one."""
    first = [10, START, *[IMAGE] * 6, END, 12, START, IMAGE, END, 13]
    second = [START, *[IMAGE] * 2, END, 14, 15]
    pad = len(first) - len(second)
    grid = torch.tensor([[1, 4, 6], [1, 2, 2], [1, 2, 4]])
    torch.manual_seed(1)
    return {
        "input_ids": torch.tensor([first, [2] * pad + second]),
        "attention_mask": torch.tensor([[1] * len(first), [0] * pad + [1] * len(second)]),
        "pixel_values": torch.rand(int(grid.prod(-1).sum()), 1176),
        "image_grid_thw": grid,
    }


@pytest.mark.parametrize("options", [{}, {"num_beams": 3}, {"do_sample": True, "num_return_sequences": 2}])
def test_a_cache_changes_nothing(model: Any, options: dict[str, Any]) -> None:
    runs = []
    for use_cache in (True, False):
        torch.manual_seed(0)
        settings = {"do_sample": False, "max_new_tokens": 5, "pad_token_id": 2, **options}
        runs.append(model.generate(**inputs(), use_cache=use_cache, **settings))
    assert torch.equal(*runs)


def test_padding_changes_nothing(model: Any) -> None:
    both = inputs()
    alone = {
        "input_ids": both["input_ids"][1:, -6:],
        "pixel_values": both["pixel_values"][28:],
        "image_grid_thw": both["image_grid_thw"][2:],
    }
    padded, plain = model(**both), model(**alone)
    assert torch.allclose(padded.logits[1, -6:], plain.logits[0], atol=1e-4)
    assert padded.rope_deltas.tolist()[1][0] == plain.rope_deltas.item() - 8


def test_a_turn_goes_on_from_a_cache(model: Any) -> None:
    whole = inputs()
    del whole["attention_mask"]
    whole["input_ids"] = whole["input_ids"][:1]
    whole["pixel_values"], whole["image_grid_thw"] = whole["pixel_values"][:28], whole["image_grid_thw"][:2]
    want = model(**whole).logits
    cut = 10  # before the second image
    first = {**whole, "input_ids": whole["input_ids"][:, :cut]}
    first |= {"pixel_values": whole["pixel_values"][:24], "image_grid_thw": whole["image_grid_thw"][:1]}
    second = {"input_ids": whole["input_ids"][:, cut:], "pixel_values": whole["pixel_values"][24:]}
    second["image_grid_thw"] = whole["image_grid_thw"][1:]
    start = model(**first, use_cache=True)
    got = model(**second, past_key_values=start.past_key_values).logits
    assert torch.allclose(torch.cat((start.logits, got), dim=1), want, atol=1e-4)


def test_positions_of_an_image(model: Any) -> None:
    ids = torch.tensor([[10, START, *[IMAGE] * 6, END]])
    positions, deltas = model.model.get_rope_index(ids, torch.tensor([[1, 4, 6]]))
    assert positions[:, 0].tolist() == [
        [0, 1, 2, 2, 2, 2, 2, 2, 5],
        [0, 1, 2, 2, 2, 3, 3, 3, 5],
        [0, 1, 2, 3, 4, 2, 3, 4, 5],
    ]
    assert deltas.tolist() == [[-3]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"image_grid_thw": torch.tensor([[1, 4, 6], [1, 2, 2]])},
            "describes 28 patches and the pixels hold 36",
        ),
        ({"image_grid_thw": torch.tensor([[1, 4, 6], [1, 3, 4]])}, "positive multiples of the merge size 2"),
        ({"image_grid_thw": None}, "pass image_grid_thw with the pixels"),
        (
            {"image_grid_thw": torch.tensor([[1, 2, 2], [1, 4, 6], [1, 2, 4]])},
            "text 0: an image or video of 6",
        ),
    ],
)
def test_grids_that_do_not_fit(model: Any, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model(**{**inputs(), **change})


def test_files_of_both_layouts_load(model: Any, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    assert {name.split(".")[0] for name in weights} == {"model", "visual", "lm_head"}
    assert weights["visual.patch_embed.proj.weight"].shape == (32, 3, 2, 14, 14)
    nested = {
        name if name.startswith("lm_head")
        else f"model.{name}" if name.startswith("visual")
        else name.replace("model.", "model.language_model.", 1): value
        for name, value in weights.items()
    }  # fmt: skip
    save_file(nested, tmp_path / "model.safetensors", metadata={"format": "pt"})
    again, info = AutoModelForImageTextToText.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())


def test_a_config_without_a_text_part(tmp_path: Path) -> None:
    flat = {**SETTINGS, **TEXT, "model_type": "qwen2_vl", "torch_dtype": "bfloat16"}
    (tmp_path / "config.json").write_text(json.dumps(flat))
    config = AutoConfig.from_pretrained(tmp_path)
    text = config.get_text_config()
    assert text.model_type == "qwen2_vl_text" and text.hidden_size == config.hidden_size == 32
    assert text.rope_scaling["rope_type"] == "default" and not text.tie_word_embeddings
    nested = Qwen2VLConfig(text_config=TEXT)
    assert nested.num_key_value_heads == 2
    with pytest.raises(AttributeError, match="nonsense"):
        nested.nonsense


@pytest.mark.parametrize("kind", ["glm4v_text", "glm4v_moe_text"])
@pytest.mark.parametrize("scaling", [None, {"rope_type": "default"}])
def test_a_config_without_sections_is_named(kind: str, scaling: dict[str, str] | None) -> None:
    config = AutoConfig.for_model(kind, rope_scaling=scaling, num_hidden_layers=0, vocab_size=8)
    with pytest.raises(ConfigError, match=f"rope_scaling of {kind} .* without mrope_section"):
        AutoModel.from_config(config)
