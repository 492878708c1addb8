"""Repositories that build on the library: its models inside of theirs, old caches, images, processors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from zoo_core import AutoConfig, AutoModel, AutoModelForCausalLM, AutoProcessor, AutoTokenizer
from zoo_core.errors import MissingDependency, SandboxError, UntrustedCode
from zoo_core.remote.facade import images
from zoo_core.remote.facade.modules import Facade
from zoo_core.remote.wire.frames import ProtocolError
from zoo_core.remote.wire.naming import decode_tables

REPOSITORIES = Path(__file__).parent / "repositories"
COMMIT = "a" * 40


def made(auto: Any, name: str, folder: Path) -> Any:
    """A model of the repository ``name`` with random weights, also saved in ``folder``."""
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(REPOSITORIES / name, trust_remote_code=True)
    model = auto.from_config(config, trust_remote_code=True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    model.save_pretrained(folder)
    return model


def test_borrowed_models_keep_their_names_in_files(tmp_path: Path) -> None:
    ids, mask = torch.tensor([[5, 6, 7], [8, 9, 0]]), torch.tensor([[1, 1, 1], [1, 1, 0]])
    model = made(AutoModel, "tiny_borrower", tmp_path / "saved").eval()
    with safe_open(tmp_path / "saved" / "model.safetensors", "pt") as file:
        names = set(file.keys())
        fused = file.get_tensor("gpt.h.0.attn.c_attn.weight")
    assert {"bert.encoder.layer.1.attention.self.query.weight", "linear.weight"} <= names
    assert fused.shape == (16, 48)
    again = AutoModel.from_pretrained(tmp_path / "saved", trust_remote_code=True, output_loading_info=True)
    assert not any(again[1].values()) and torch.equal(again[0](ids, mask), model(ids, mask))


def test_tuples_for_a_cache(tmp_path: Path) -> None:
    model = made(AutoModelForCausalLM, "tiny_legacy", tmp_path / "saved").eval()
    ids = torch.tensor([[0, 0, 5, 6], [7, 8, 9, 10]])
    inputs = {"attention_mask": (ids != 0).long(), "max_new_tokens": 5}
    for options in ({}, {"num_beams": 3}, {"num_beams": 2, "num_return_sequences": 2}):
        cached = model.generate(ids, **inputs, **options)
        assert torch.equal(cached, model.generate(ids, **inputs, **options, use_cache=False)), options


def test_generation_settings(tmp_path: Path) -> None:
    made(AutoModelForCausalLM, "tiny_legacy", tmp_path / "saved")
    (tmp_path / "saved" / "generation_config.json").write_text('{"max_new_tokens": 3, "eos_token_id": null}')
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "saved", trust_remote_code=True)
    ids = torch.tensor([[5, 6]])
    assert model.generate(ids).shape == (1, 5) and model.generation_config.max_new_tokens == 3
    model.generation_config.max_new_tokens = 4
    assert model.generate(ids).shape == (1, 6) and model.generate(ids, max_new_tokens=1).shape == (1, 3)
    with pytest.raises(SandboxError, match="keeps the shapes"):
        model.resize_token_embeddings(64)


def test_parts_of_a_processor_and_tokens_that_were_added(hub: Callable[..., Any], tmp_path: Path) -> None:
    keywords = hub("tiny_tools")
    processor: Any = AutoProcessor.from_pretrained(**keywords)
    assert processor.tokenizer.decode([3, 4], skip_special_tokens=True) == "ab"
    assert processor.tokenizer.pad_token == "_" and len(processor.tokenizer) == 30
    assert processor.tokenizer("abc")["input_ids"] == [3, 4, 5, 1]
    assert processor.image_processor.side == 4
    with pytest.raises(AttributeError, match="nothing"):
        processor.tokenizer.nothing
    processor.save_pretrained(tmp_path / "processor")
    image = Image.new("RGB", (9, 7), (255, 0, 51))
    again: Any = AutoProcessor.from_pretrained(tmp_path / "processor", trust_remote_code=True)
    assert set(again(text=["abc"], images=[image])) >= {"input_ids", "pixel_values"}

    tokenizer: Any = AutoTokenizer.from_pretrained(**keywords)
    tokenizer.add_tokens(["ZZ"])
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    saved: Any = AutoTokenizer.from_pretrained(tmp_path / "tokenizer", trust_remote_code=True)
    assert saved("aZZb")["input_ids"] == tokenizer("aZZb")["input_ids"] == [3, 30, 4, 1]
    assert "auto_map" in json.loads((tmp_path / "tokenizer" / "tokenizer_config.json").read_text())


def test_what_would_run_is_listed(hub: Callable[..., Any]) -> None:
    with pytest.raises(UntrustedCode) as caught:
        AutoConfig.from_pretrained(**{**hub("tiny_borrower"), "trust_remote_code": False})
    assert COMMIT in str(caught.value) and "imports: torch, transformers" in str(caught.value)
    assert len(str(caught.value).split("borrower.py")[1].split()) > 3


def test_packages_that_lack_are_named(write_repo: Callable[..., Path]) -> None:
    config = '{"model_type": "x", "auto_map": {"AutoConfig": "c.C"}}'
    folder = write_repo({"config.json": config, "c.py": "import timm, tiktoken\nclass C: pass\n"})
    with pytest.raises(MissingDependency, match=r"imports tiktoken, timm, .*: pip install tiktoken timm"):
        AutoConfig.from_pretrained(folder, trust_remote_code=True)


@pytest.mark.parametrize(
    "tables",
    [
        [],
        {"tables": [], "places": {"a": 0}},
        {"tables": [{"names": []}], "places": {}},
        *(
            {"tables": [{"names": [["w", value]], "ignored": []}], "places": {"big": 0}}
            for value in (
                "../b",
                {"op": "Op", "sources": ["b"]},
                {"op": "Fused", "sources": ["b"], "dim": "x"},
                {"op": "Fused", "sources": ["b"], "far": 1},
                {"op": "Stacked", "sources": ["b.*"]},
            )
        ),
        *({"tables": [{"names": [], "ignored": [x]}], "places": {}} for x in ("*a*a*a*a*a", "(a+)+")),
    ],
)
def test_hostile_tables_of_names(tables: Any) -> None:
    with pytest.raises(ProtocolError):
        decode_tables(tables, {"big.w": (1 << 40,)})


@pytest.mark.parametrize(
    "names",
    [
        "get_size_dict select_best_resolution ImageInput PaddingMode convert_to_rgb",
        "AddedToken TruncationStrategy TextInput ProcessingKwargs Unpack",
        "TopPLogitsWarper TextIteratorStreamer GenerateDecoderOnlyOutput MaxLengthCriteria",
        "SAFE_WEIGHTS_INDEX_NAME to_py_obj no_init_weights _is_punctuation cached_property",
    ],
)
def test_names_of_processors_tokenizers_and_generation(names: str) -> None:
    facade = Facade()
    assert all(facade.find("transformers.utils", name) is not None for name in names.split())
    assert facade.find("transformers", "CONFIG_MAPPING")["bert"].model_type == "bert"


def test_image_functions() -> None:
    array = np.random.default_rng(0).integers(0, 256, (7, 10, 3), dtype=np.uint8)
    small = images.resize(array, (4, 5), data_format="channels_first")
    assert np.array_equal(small.transpose(1, 2, 0), Image.fromarray(array).resize((5, 4), Image.BILINEAR))
    scaled = images.rescale(array, 1 / 255)
    assert images.is_scaled_image(scaled) and scaled.dtype == np.float32
    assert np.abs(images.resize(scaled, (4, 5)) - small.transpose(1, 2, 0) / 255).max() < 1e-6
    assert np.allclose(images.normalize(scaled, 0.5, 0.25), (array / 255 - 0.5) / 0.25, atol=1e-6)
    assert np.array_equal(images.center_crop(array, (3, 4)), array[2:5, 3:7])
    padded = images.center_crop(array, (9, 12))
    assert padded.shape == (9, 12, 3) and np.array_equal(padded[1:8, 1:11], array) and not padded[0].any()
    around = images.pad(array, ((1, 2), (3, 0)), mode=images.PaddingMode.REPLICATE)
    assert around.shape == (10, 13, 3) and np.array_equal(around[0, 0], array[0, 0])
    assert images.get_resize_output_image_size(array, 14, default_to_square=False, max_size=16) == (11, 16)
    assert len(images.make_flat_list_of_images([[array], [array, array]])) == 3
    for wrong in (lambda: images.make_list_of_images("x"), lambda: images.load_image("/etc/passwd")):
        with pytest.raises(ValueError):
            wrong()
