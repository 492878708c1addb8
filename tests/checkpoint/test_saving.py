import json
import os

import pytest
import torch
from safetensors.torch import load_file

from zoo_core.checkpoint import construct, load_weights, open_weights, save_weights, saver
from zoo_core.checkpoint.saver import parse_size
from zoo_core.errors import CheckpointError, WeightsMismatch


@pytest.fixture
def model(zoo):
    return zoo.filled(zoo.Model())


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def reload(zoo, folder, **keywords):
    made = construct(zoo.Model)
    with open_weights(folder, **keywords) as source:
        load_weights(made, source, strict=True)
    return made


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"max_shard_size": 500},
        {"variant": "fp16", "max_shard_size": "1KB"},
        {"safe_serialization": False},
        {"safe_serialization": False, "max_shard_size": "1KB"},
    ],
)
def test_save_load_save_is_byte_equal(zoo, model, tmp_path, keywords):
    save_weights(model, tmp_path / "one", **keywords)
    again = reload(zoo, tmp_path / "one", variant=keywords.get("variant"))
    assert zoo.equal(again, model)
    save_weights(again, tmp_path / "two", **keywords)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_files_hold_the_hub_names_and_of_ties_the_owner(model, tmp_path):
    save_weights(model, tmp_path)
    names = load_file(tmp_path / "model.safetensors").keys()
    experts = {
        f"transformer.h.{i}.moe.experts.{e}.w{w}.weight" for i in (0, 1) for e in range(3) for w in (1, 2, 3)
    }
    rest = {"attn.qkv.weight", "attn.qkv.bias", "attn.out.weight", "attn.out.bias", "ln.weight", "ln.bias"}
    layers = {f"transformer.h.{i}.{name}" for i in (0, 1) for name in rest}
    assert names == experts | layers | {"transformer.wte.weight", "head.score.weight", "head.score.bias"}


def test_the_index_has_the_known_form(model, tmp_path):
    written = save_weights(model, tmp_path, max_shard_size="1KB")
    text = (tmp_path / "model.safetensors.index.json").read_text()
    index = json.loads(text)
    assert text == json.dumps(index, indent=2, sort_keys=True) + "\n"
    shards = sorted(set(index["weight_map"].values()))
    assert shards[0] == f"model-00001-of-{len(shards):05d}.safetensors"
    assert sorted(path.name for path in written) == [*shards, "model.safetensors.index.json"]
    tensors = {name: t for shard in shards for name, t in load_file(tmp_path / shard).items()}
    assert index["metadata"]["total_size"] == sum(t.nbytes for t in tensors.values())
    assert index["metadata"]["total_parameters"] == sum(p.numel() for p in model.parameters())
    assert all(name in load_file(tmp_path / shard) for name, shard in index["weight_map"].items())


def test_variants_have_the_known_names(model, tmp_path):
    save_weights(model, tmp_path, variant="fp16", max_shard_size="2KB")
    names = sorted(os.listdir(tmp_path))
    assert names[0].startswith("model.fp16-00001-of-") and names[-1] == "model.safetensors.index.fp16.json"


def test_shards_of_an_earlier_save_go_and_nothing_else_does(model, tmp_path):
    others = ["config.json", "model.fp16.safetensors", "other-00001-of-00002.safetensors"]
    for name in others:
        (tmp_path / name).write_text("kept")
    save_weights(model, tmp_path, max_shard_size="1KB")
    save_weights(model, tmp_path, max_shard_size="3KB")
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    shards = {name for name in os.listdir(tmp_path) if name.startswith("model-")}
    assert shards == set(index["weight_map"].values())
    save_weights(model, tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "model.safetensors"])


@pytest.mark.parametrize("step", ["_write_safetensors", "os.replace"])
def test_a_failure_leaves_the_old_files_as_they_were(zoo, model, tmp_path, monkeypatch, step):
    save_weights(model, tmp_path, max_shard_size="2KB")
    before = contents(tmp_path)
    owner, name = (saver, step) if "." not in step else (saver.os, "replace")
    real, calls = getattr(owner, name), []

    def fails(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise OSError("No space left on device")
        return real(*arguments)

    monkeypatch.setattr(owner, name, fails)
    with pytest.raises(OSError, match="No space left"):
        save_weights(zoo.filled(zoo.Model(), seed=1), tmp_path, max_shard_size="2KB")
    monkeypatch.undo()
    assert contents(tmp_path) == before


def test_saving_over_the_files_that_are_mapped(zoo, model, tmp_path):
    save_weights(model, tmp_path)
    loaded = reload(zoo, tmp_path)
    with torch.no_grad():
        loaded.score.weight.add_(1)
    save_weights(loaded, tmp_path)
    assert torch.equal(reload(zoo, tmp_path).score.weight, model.score.weight + 1)
    assert zoo.equal(reload(zoo, tmp_path), loaded)


def test_another_state_dict(zoo, model, tmp_path):
    other = {name: tensor * 2 for name, tensor in model.state_dict().items()}
    save_weights(model, tmp_path, state_dict=other)
    assert torch.equal(reload(zoo, tmp_path).score.weight, model.score.weight * 2)
    del other["score.bias"]
    with pytest.raises(WeightsMismatch, match=r"lacks 1 tensors of Model: score\.bias"):
        save_weights(model, tmp_path, state_dict=other)


def test_a_skeleton_cannot_be_saved(zoo, tmp_path):
    with pytest.raises(CheckpointError, match="no values"):
        save_weights(construct(zoo.Model), tmp_path)


@pytest.mark.parametrize(
    ("text", "size"), [("5GB", 5 * 10**9), ("5GiB", 5 * 2**30), ("1.5 MB", 1_500_000), (300, 300), ("77", 77)]
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["five", "5XB", "0GB", -1, ""])
def test_sizes_that_are_none(text):
    with pytest.raises(ValueError, match="max_shard_size"):
        parse_size(text)
