import json
import os
import pickle

import pytest
import torch
from safetensors.torch import save_file

from zoo_core.checkpoint import locate_weights, open_weights
from zoo_core.checkpoint.sources import on_network
from zoo_core.errors import CheckpointFormatError, FileNotInRepository, UnsafeCheckpoint
from zoo_core.hub import Repository


@pytest.fixture
def sharded(tmp_path):
    """Two shards with an index; ``write(weight_map)`` changes the index."""
    save_file({"a": torch.ones(2)}, tmp_path / "one.safetensors")
    save_file({"b": torch.zeros(3)}, tmp_path / "two.safetensors")

    def write(weight_map):
        text = json.dumps({"metadata": {}, "weight_map": weight_map})
        (tmp_path / "model.safetensors.index.json").write_text(text)
        return tmp_path

    return write


def test_shards_are_read_as_one(sharded):
    folder = sharded({"a": "one.safetensors", "b": "two.safetensors"})
    with open_weights(folder) as source:
        assert {name: source.read(name).tolist() for name in source.tensors} == {"a": [1, 1], "b": [0, 0, 0]}


@pytest.mark.parametrize(
    ("weight_map", "error", "words"),
    [
        ({"a": "../x.safetensors"}, UnsafeCheckpoint, ["index.json", "'..'"]),
        ({"a": "/etc/passwd"}, UnsafeCheckpoint, ["absolute"]),
        ({"a": "link.safetensors"}, UnsafeCheckpoint, ["symbolic link"]),
        ({"a": "one.safetensors", "b": "3.st", "c": "4.st"}, FileNotInRepository, ["3.st", "4.st"]),
        ({"a": "one.safetensors", "b": "one.safetensors"}, CheckpointFormatError, ["b", "no shard"]),
        ({"a": "two.safetensors", "b": "one.safetensors"}, CheckpointFormatError, ["another shard"]),
        ({"a": 3}, CheckpointFormatError, ["weight_map"]),
        ({}, CheckpointFormatError, ["weight_map"]),
    ],
    ids=["parent", "absolute", "link", "missing", "not in a shard", "elsewhere", "numbers", "empty"],
)  # fmt: skip
def test_an_index_may_not_lie(sharded, tmp_path_factory, weight_map, error, words):
    folder = sharded(weight_map)
    outside = tmp_path_factory.mktemp("outside") / "x.safetensors"
    save_file({"a": torch.ones(2)}, outside)
    os.symlink(outside, folder / "link.safetensors")
    with pytest.raises(error) as raised:
        open_weights(folder)
    assert all(word in str(raised.value) for word in words)


def test_a_name_in_two_shards_is_refused(sharded):
    folder = sharded({"a": "one.safetensors", "b": "two.safetensors"})
    save_file({"a": torch.ones(2), "b": torch.zeros(3)}, folder / "two.safetensors")
    with pytest.raises(CheckpointFormatError, match="'a' stands both in"):
        open_weights(folder)


@pytest.mark.parametrize(
    ("present", "keywords", "chosen"),
    [
        (["model.safetensors", "pytorch_model.bin", "tf_model.h5"], {}, "model.safetensors"),
        (["pytorch_model.bin", "tf_model.h5"], {}, "pytorch_model.bin"),
        (["model.safetensors", "pytorch_model.bin"], {"use_safetensors": False}, "pytorch_model.bin"),
        (["model.safetensors", "model.fp16.safetensors"], {"variant": "fp16"}, "model.fp16.safetensors"),
        (["model.safetensors", "tf_model.h5"], {"from_tf": True}, "tf_model.h5"),
        (["tf_model.h5", "flax_model.msgpack"], {"from_flax": True}, "flax_model.msgpack"),
        (["model.ckpt.index"], {"from_tf": True}, "model.ckpt.index"),
    ],
)
def test_the_order_of_preference(tmp_path, present, keywords, chosen):
    for name in present:
        (tmp_path / name).touch()
    assert [path.name for path in locate_weights(Repository(tmp_path), **keywords).files] == [chosen]


@pytest.mark.parametrize(
    ("present", "keywords", "words"),
    [
        ([], {}, "none of model.safetensors"),
        (["tf_model.h5"], {}, "pass from_tf=True"),
        (["flax_model.msgpack"], {}, "pass from_flax=True"),
        (["pytorch_model.bin"], {"use_safetensors": True}, "pass use_safetensors=None"),
        (["model.safetensors"], {"variant": "fp16"}, "leave variant out"),
    ],
)
def test_what_is_not_there_is_said_with_the_way_out(tmp_path, present, keywords, words):
    for name in present:
        (tmp_path / name).touch()
    with pytest.raises(FileNotInRepository, match=words):
        locate_weights(Repository(tmp_path), **keywords)


def test_a_subfolder_and_one_file(tmp_path):
    (tmp_path / "inner").mkdir()
    save_file({"a": torch.ones(2)}, tmp_path / "inner" / "model.safetensors")
    from zoo_core.hub import HubOptions

    with open_weights(Repository(tmp_path, options=HubOptions(subfolder="inner"))) as source:
        assert list(source.tensors) == ["a"]
    with open_weights(tmp_path / "inner" / "model.safetensors") as source:
        assert list(source.tensors) == ["a"]


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.bfloat16, torch.int8, torch.bool, torch.float8_e4m3fn, torch.complex64]
)
@pytest.mark.parametrize("mode", ["mmap", "read"])
def test_both_ways_of_reading(tmp_path, mode, dtype):
    tensor = torch.arange(6).reshape(2, 3).to(dtype)
    save_file(
        {"a": tensor, "s": tensor[0, 1].clone(), "none": torch.zeros(0, 3)}, tmp_path / "model.safetensors"
    )
    with open_weights(tmp_path, mode=mode) as source:
        for keep in (True, False):
            read = source.read("a", keep=keep)
            assert read.dtype == dtype and torch.equal(read.view(torch.uint8), tensor.view(torch.uint8))
        assert source.read("s").shape == () and source.read("none").shape == (0, 3)
        mapped = source.read("a")
    assert torch.equal(mapped.view(torch.uint8), tensor.view(torch.uint8))  # outlives the source
    assert mapped.untyped_storage().nbytes() == tensor.nbytes


def test_writing_to_a_mapped_tensor_leaves_the_file_alone(tmp_path):
    save_file({"a": torch.ones(5)}, tmp_path / "model.safetensors")
    before = (tmp_path / "model.safetensors").read_bytes()
    with open_weights(tmp_path) as source:
        source.read("a").zero_()
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_unaligned_data_is_copied_into_line(tmp_path):
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    header += b" " * ((1 - len(header)) % 4)
    data = torch.tensor([1.5, 2.5])
    (tmp_path / "model.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header + data.numpy().tobytes()
    )
    with open_weights(tmp_path) as source:
        assert source.tensors["a"].start % 4 == 1
        assert torch.equal(source.read("a"), data)


def test_a_file_that_changes_meanwhile_is_noticed(tmp_path):
    save_file({"a": torch.ones(500)}, tmp_path / "model.safetensors")
    with open_weights(tmp_path, mode="read") as source:
        with (tmp_path / "model.safetensors").open("r+b") as file:
            file.truncate(100)
        with pytest.raises(CheckpointFormatError, match="changed while it was read"):
            source.read("a")


def test_the_mount_table_is_asked():
    assert on_network("/proc/self/mounts") is False


class Runs:
    def __reduce__(self):
        return os.system, ("touch ran",)


def test_a_pickle_that_wants_to_run_something_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for write in (lambda o, f: torch.save(o, f), lambda o, f: f.write_bytes(pickle.dumps(o))):
        write({"a": torch.ones(1), "b": Runs()}, tmp_path / "pytorch_model.bin")
        with pytest.raises(UnsafeCheckpoint, match="system"):
            open_weights(tmp_path)
    assert os.listdir(tmp_path) == ["pytorch_model.bin"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1, 2], "holds a list"),
        ({"epoch": 3}, "no tensors but 'epoch'"),
        ({"a": torch.ones(2).to_sparse()}, "sparse"),
    ],
)
def test_a_pickle_of_something_else(tmp_path, content, words):
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointFormatError, match=words):
        open_weights(tmp_path)


def test_garbage_for_a_pickle(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x00garbage")
    with pytest.raises((CheckpointFormatError, UnsafeCheckpoint), match=r"pytorch_model\.bin"):
        open_weights(tmp_path)


@pytest.mark.parametrize("old", [False, True])
def test_pickles_of_both_formats(tmp_path, old):
    torch.save(
        {"a": torch.arange(4), "epoch": 3},
        tmp_path / "pytorch_model.bin",
        _use_new_zipfile_serialization=not old,
    )
    with open_weights(tmp_path) as source:
        assert source.read("a").tolist() == [0, 1, 2, 3]
