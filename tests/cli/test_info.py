"""``zoo info``: what a checkpoint is, read from its JSON files and headers alone."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import pytest

BERT = {"model_type": "bert", "architectures": ["BertModel"], "hidden_size": 8, "torch_dtype": "float16"}


def safetensors(**tensors: tuple[str, list[int], int]) -> bytes:
    """A file of zeros: name to (dtype, shape, bytes)."""
    header, offset = {}, 0
    for name, (dtype, shape, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(offset)


WEIGHTS = safetensors(a=("F16", [4, 8], 64), b=("F32", [2], 8))


def checkpoint(folder: Path, **files: object) -> str:
    """A folder with the given files; ``__`` in a keyword stands for a dot."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        folder.joinpath(name.replace("__", ".")).write_bytes(data)
    return str(folder)


def report(zoo, *words: str, status: int = 0) -> dict:
    return json.loads(zoo("info", *words, "--json", status=status))


def test_type_weights_and_what_loads_it(tmp_path, zoo) -> None:
    found = report(zoo, checkpoint(tmp_path, config__json=BERT, model__safetensors=WEIGHTS))
    assert (found["model_type"], found["distribution"], found["loadable"]) == ("bert", "zoo-text", True)
    assert found["weights"]["parameters"] == {"F16": 32, "F32": 2}
    assert found["weights"]["bytes"] == len(WEIGHTS)
    assert "BertModel" in found["auto_classes"]["AutoModel"]


def test_the_page_for_people(tmp_path, zoo) -> None:
    shown = zoo("info", checkpoint(tmp_path, config__json=BERT, model__safetensors=WEIGHTS))
    for part in (
        "bert",
        "34 in 2 tensors (32 float16, 2 float32)",
        "Loaded by zoo-text",
        "AutoModel",
        "hidden_size=8",
    ):
        assert part in shown
    assert "The checkpoint was saved from BertModel: AutoModel" in shown


def test_shards_are_added_up(tmp_path, zoo) -> None:
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    parts = {
        "one__safetensors": safetensors(a=("F32", [3], 12)),
        "two__safetensors": safetensors(b=("F32", [5], 20)),
    }
    folder = checkpoint(tmp_path, config__json=BERT, model__safetensors__index__json=index, **parts)
    weights = report(zoo, folder)["weights"]
    assert (weights["tensors"], weights["parameters"]) == (2, {"F32": 8})


def test_a_missing_shard_is_named(tmp_path, zoo) -> None:
    index = {"weight_map": {"a": "one.safetensors"}}
    folder = checkpoint(tmp_path, config__json=BERT, model__safetensors__index__json=index)
    assert "one.safetensors is named by model.safetensors.index.json and missing" in zoo("info", folder)


def test_a_shard_outside_the_folder_is_not_read(tmp_path, zoo) -> None:
    outside = tmp_path / "outside.safetensors"
    outside.write_bytes(WEIGHTS)
    index = {"weight_map": {"a": "../outside.safetensors"}}
    folder = checkpoint(tmp_path / "m", config__json=BERT, model__safetensors__index__json=index)
    assert not report(zoo, folder)["weights"]["parameters"]


@pytest.mark.parametrize(
    ("data", "said"),
    [(WEIGHTS[:-1], "cut off"), (b"PK\x03\x04" + b"\xff" * 40, "pickle or zip"), (b"", "too few")],
)
def test_damaged_weights_are_said_to_be(tmp_path, zoo, data: bytes, said: str) -> None:
    assert said in zoo("info", checkpoint(tmp_path, config__json=BERT, model__safetensors=data))


def test_a_pickle_is_not_opened(tmp_path, zoo) -> None:
    weights = report(zoo, checkpoint(tmp_path, config__json=BERT, pytorch_model__bin=b"not a pickle"))[
        "weights"
    ]
    assert (weights["format"], weights["bytes"], weights["parameters"]) == ("PyTorch pickle", 12, {})


def test_an_unknown_type_says_what_is_close_and_fails(tmp_path, zoo) -> None:
    folder = checkpoint(tmp_path, config__json={"model_type": "brt"})
    assert "'bert'" in zoo("info", folder, status=1)


def test_code_of_the_repository_is_shown(tmp_path, zoo) -> None:
    config = {"model_type": "never_seen", "auto_map": {"AutoModel": "modeling_x.XModel"}}
    shown = zoo("info", checkpoint(tmp_path, config__json=config), status=1)
    assert "modeling_x.XModel" in shown and "trust_remote_code=True" in shown


def test_processors_are_named_with_who_provides_them(tmp_path, zoo) -> None:
    folder = checkpoint(
        tmp_path,
        config__json=BERT,
        vocab__txt=b"a\nb",
        preprocessor_config__json={"image_processor_type": "NowhereImageProcessor"},
    )
    served = {item["role"]: item for item in report(zoo, folder)["served"]}
    assert served["tokenizer"]["distribution"] == "zoo-text"
    assert served["image processor"] == {
        "role": "image processor",
        "name": "NowhereImageProcessor",
        "distribution": None,
    }


@pytest.mark.parametrize("config", [b"{", b"[]", b"\xff"])
def test_a_config_that_is_none_is_an_error(tmp_path, zoo, config: bytes) -> None:
    assert "config.json" in zoo("info", checkpoint(tmp_path, config__json=config), status=2)


@pytest.mark.parametrize("value", [7, None, ["bert"], {"a": 1}])
def test_odd_values_in_a_config_do_no_harm(tmp_path, zoo, value: object) -> None:
    config = dict.fromkeys(
        ("model_type", "architectures", "auto_map", "torch_dtype", "quantization_config"), value
    )
    zoo("info", checkpoint(tmp_path / "x", config__json=config), status=1)


def test_escapes_in_a_config_do_not_reach_the_terminal(tmp_path, zoo) -> None:
    folder = checkpoint(tmp_path, config__json={"model_type": "bert", "architectures": ["\x1b]0;owned\x07"]})
    assert "\x1b" not in zoo("info", folder)


def test_a_repository_on_the_hub_costs_no_download_of_weights(hub, zoo) -> None:
    big = safetensors(a=("F32", [1_000_000], 4_000_000))
    hub.repository("org/model", {"config.json": BERT, "model.safetensors": big})
    found = report(zoo, "org/model")
    assert found["commit"] == hub.repositories["org/model"].head
    assert found["weights"]["parameters"] == {"F32": 1_000_000}
    assert not list(Path(os.environ["HF_HUB_CACHE"]).rglob("*.safetensors"))


def test_a_repository_in_the_cache_needs_no_hub(hub, zoo) -> None:
    from zoo_core.hub import Repository

    hub.repository("org/model", {"config.json": BERT, "model.safetensors": WEIGHTS})
    Repository("org/model").paths(["config.json", "model.safetensors"])
    hub.stop()
    assert report(zoo, "org/model", "--offline")["weights"]["parameters"] == {"F16": 32, "F32": 2}


def test_a_missing_repository_reads_as_what_it_is(hub, zoo) -> None:
    assert "org/nothing" in zoo("info", "org/nothing", status=2)
