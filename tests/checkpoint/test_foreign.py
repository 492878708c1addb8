"""TensorFlow and Flax files, written here byte by byte as those libraries write them."""

import struct

import h5py
import numpy as np
import pytest
import torch

from zoo_core.checkpoint import construct, load_weights, open_weights
from zoo_core.checkpoint.foreign import flax_name, tensorflow_name
from zoo_core.errors import CheckpointFormatError, FileNotInRepository, MissingDependency


class Layer(torch.nn.Module):
    hub_names = {"q_proj": "attention.self.query"}

    def __init__(self):
        super().__init__()
        self.q_proj, self.norm = torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)


class Net(torch.nn.Module):
    """One of each kind of weight."""

    base_model_prefix = "bert"
    hub_names = {"layers": "encoder.layer"}

    def __init__(self):
        super().__init__()
        self.word_embeddings, self.layers = torch.nn.Embedding(5, 3), torch.nn.ModuleList([Layer()])
        self.conv, self.conv1d = torch.nn.Conv2d(3, 4, (1, 2)), torch.nn.Conv1d(3, 4, 2, bias=False)
        self.bn = torch.nn.BatchNorm2d(4)


RANDOM = np.random.RandomState(0)
PYTORCH = {
    "word_embeddings.weight": (5, 3),
    "layers.0.q_proj.weight": (2, 3),
    "layers.0.q_proj.bias": (2,),
    "layers.0.norm.weight": (2,),
    "layers.0.norm.bias": (2,),
    "conv.weight": (4, 3, 1, 2),
    "conv.bias": (4,),
    "conv1d.weight": (4, 3, 2),
    "bn.weight": (4,),
    "bn.bias": (4,),
    "bn.running_mean": (4,),
    "bn.running_var": (4,),
}
VALUES = {name: RANDOM.standard_normal(shape).astype("float32") for name, shape in PYTORCH.items()}


def foreign(style):
    """The same weights as the other framework names and lays them out."""
    leaves = {
        "keras": (
            "kernel:0",
            "bias:0",
            "gamma:0",
            "beta:0",
            "embeddings:0",
            "moving_mean:0",
            "moving_variance:0",
        ),
        "flax": ("kernel", "bias", "scale", "bias", "embedding", "mean", "var"),
        "tf1": ("kernel", "bias", "gamma", "beta", "", "moving_mean", "moving_variance"),
    }[style]
    kernel, bias, gamma, beta, table, mean, variance = leaves
    layer = {"keras": "encoder/layer_._0", "flax": "encoder/layer/0", "tf1": "encoder/layer_0"}[style]
    names = {
        "word_embeddings.weight": f"word_embeddings/{table}".rstrip("/"),
        "layers.0.q_proj.weight": f"{layer}/attention/self/query/{kernel}",
        "layers.0.q_proj.bias": f"{layer}/attention/self/query/{bias}",
        "layers.0.norm.weight": f"{layer}/norm/{gamma}",
        "layers.0.norm.bias": f"{layer}/norm/{beta}",
        "conv.weight": f"conv/{kernel}",
        "conv.bias": f"conv/{bias}",
        "conv1d.weight": f"conv1d/{kernel}",
        "bn.weight": f"bn/{gamma}",
        "bn.bias": f"bn/{beta}",
        "bn.running_mean": f"bn/{mean}",
        "bn.running_var": f"bn/{variance}",
    }
    turned = {}
    for name, path in names.items():
        value = VALUES[name]
        if path.rpartition("/")[2].startswith("kernel"):
            value = np.moveaxis(value, (0, 1), (-1, -2))
        turned[path] = np.ascontiguousarray(value)
    return turned


# MessagePack, as flax.serialization writes it


def pack(value):
    if isinstance(value, dict):
        return b"\xdf" + struct.pack(">I", len(value)) + b"".join(pack(k) + pack(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return b"\xdc" + struct.pack(">H", len(value)) + b"".join(map(pack, value))
    if isinstance(value, str):
        return b"\xd9" + bytes([len(value.encode())]) + value.encode()
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, np.ndarray):
        inner = pack([list(value.shape), str(value.dtype), value.tobytes()])
        return b"\xc9" + struct.pack(">Ib", len(inner), 1) + inner
    return b"\xcd" + struct.pack(">H", value)


def write_flax(folder):
    tree = {}
    for path, value in foreign("flax").items():
        group = "batch_stats" if path.endswith(("mean", "var")) else "params"
        at = tree.setdefault(group, {})
        *above, leaf = path.split("/")
        for part in above:
            at = at.setdefault(part, {})
        at[leaf] = value
    (folder / "flax_model.msgpack").write_bytes(pack(tree))


# The tensor bundle, as tf.train.Saver writes it


def varint(n):
    out = b""
    while n >= 0x80:
        out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(pairs):
    body, before = b"", b""
    for key, value in pairs:
        shared = next(
            (i for i, (a, b) in enumerate(zip(key, before, strict=False)) if a != b),
            min(len(key), len(before)),
        )
        body += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return body + bytes(4) + struct.pack("<I", 1)


def write_bundle(folder, weights, *, change=lambda entries: entries):
    data, entries = b"", {b"": field(1, 1)}
    for name, value in sorted(weights.items()):
        dims = b"".join(field(2, field(1, n)) for n in value.shape)
        entry = field(1, 1) + field(2, dims) + field(4, len(data)) + field(5, value.nbytes)
        entries[name.encode()] = entry + varint(6 << 3 | 5) + bytes(4)
        data += value.tobytes()
    entries[b"_CHECKPOINTABLE_OBJECT_GRAPH"] = field(1, 7)
    entries[b"global_step"] = field(1, 9) + field(5, 8)
    data += bytes(8)
    inner = block(sorted(change(entries).items()))
    outer = block([(b"\xff", varint(0) + varint(len(inner)))])
    offset = len(inner) + 5
    footer = varint(0) + varint(0) + varint(offset) + varint(len(outer))
    footer = footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    (folder / "model.ckpt.index").write_bytes(inner + bytes(5) + outer + bytes(5) + footer)
    (folder / "model.ckpt.data-00000-of-00001").write_bytes(data)


def write_tf1(folder):
    weights = {f"bert/{path}": value for path, value in foreign("tf1").items()}
    write_bundle(folder, weights | {"bert/conv/kernel/adam_m": np.zeros((2, 2), "float32")})


def write_tf2(folder):
    write_bundle(
        folder, {f"{p.removesuffix(':0')}/.ATTRIBUTES/VARIABLE_VALUE": v for p, v in foreign("keras").items()}
    )


def write_keras(folder):
    with h5py.File(folder / "tf_model.h5", "w") as file:
        for path, value in foreign("keras").items():
            file.create_dataset(f"bert/tf_net_model/bert/{path}", data=value)


@pytest.mark.parametrize(
    ("write", "keywords"),
    [
        (write_flax, {"from_flax": True}),
        (write_tf1, {"from_tf": True}),
        (write_tf2, {"from_tf": True}),
        (write_keras, {"from_tf": True}),
    ],
)
@pytest.mark.parametrize("mode", ["mmap", "read"])
def test_the_same_weights_arrive(tmp_path, write, keywords, mode):
    write(tmp_path)
    model = construct(Net)
    with open_weights(tmp_path, mode=mode, **keywords) as source:
        report = load_weights(model, source, rebuild=Net, log=False)
    assert report.missing_keys == [] and report.unexpected_keys == []
    state = model.state_dict()
    assert all(np.array_equal(state[name].numpy(), value) for name, value in VALUES.items())


def test_a_checkpoint_given_by_its_index_file(tmp_path):
    write_tf1(tmp_path)
    with open_weights(tmp_path / "model.ckpt.index", from_tf=True) as source:
        assert "bert.conv.weight" in source.tensors
    with pytest.raises(CheckpointFormatError, match="pass from_tf=True"):
        open_weights(tmp_path / "model.ckpt.index")


@pytest.mark.parametrize(
    ("path", "name", "kernel"),
    [
        ("tf_bert_for_masked_lm/mlm___cls/dense/kernel:0", "cls.dense.weight", True),
        ("tf_vi_t_model/vit/encoder/layer_._11/norm/gamma:0", "vit.encoder.layer.11.norm.weight", False),
        ("bert/embeddings/token_type_embeddings", "bert.embeddings.token_type_embeddings.weight", False),
        ("cls/seq_relationship/output_weights", "cls.seq_relationship.weight", False),
        ("cls/predictions/output_bias", "cls.predictions.bias", False),
        ("bert/encoder/layer_3/output/dense/kernel", "bert.encoder.layer.3.output.dense.weight", True),
    ],
)
def test_tensorflow_names(path, name, kernel):
    found = tensorflow_name(path)
    assert (found.name, found.kernel) == (name, kernel)


def test_depthwise_kernels_keep_their_order():
    assert tensorflow_name("conv/depthwise_kernel:0").dims(4) == (2, 3, 0, 1)
    assert flax_name("conv/kernel").dims(4) == (3, 2, 0, 1) and flax_name("dense/bias").dims(1) is None


ARRAY = np.zeros(3, "float32")
BAD_FLAX = {
    "empty": (b"", "empty"),
    "cut": (pack({"params": {"a": ARRAY}})[:-4], "are left"),
    "a list": (pack([1]), "holds a list"),
    "many elements": (b"\xdd\xff\xff\xff\xff", "4,294,967,295 elements"),
    "nested": (b"\x91" * 500, "nested more than"),
    "lying shape": (pack({"a": ARRAY}).replace(pack([3]), pack([9])), r"float32 \[9\] in 12 bytes"),
    "dtype": (pack({"a": ARRAY}).replace(b"float32", b"object_"), "'object_'"),
    "extension": (b"\x81\xa1a" + b"\xc7\x00\x05", "extension value of type 5"),
    "twice": (b"\x82\xa1a\x01\xa1a\x01", "'a' stands twice"),
    "code": (b"\xc1", "0xc1 begins no value"),
    "text": (pack({"a": "text"}), "is a str, not an array"),
}


@pytest.mark.parametrize(("content", "words"), BAD_FLAX.values(), ids=BAD_FLAX.keys())
def test_a_bad_flax_file(tmp_path, content, words):
    (tmp_path / "flax_model.msgpack").write_bytes(content)
    with pytest.raises(CheckpointFormatError, match=words):
        open_weights(tmp_path, from_flax=True)


def entry(shape=(3,), offset=0, size=12, dtype=1, shard=0):
    dims = b"".join(field(2, field(1, n)) for n in shape)
    return field(1, dtype) + field(2, dims) + field(3, shard) + field(4, offset) + field(5, size)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e: e | {b"a": entry(shape=(2**40,))}, r"\[1099511627776\] has 12 bytes"),
        (lambda e: e | {b"a": entry(offset=2**40)}, "at 1,099,511,627,776"),
        (lambda e: e | {b"a": entry(dtype=99)}, "dtype number 99"),
        (lambda e: e | {b"a": entry(shard=3)}, "data file 3"),
        (lambda e: e | {b"a": entry() + field(7, b"")}, "partitioned"),
        (lambda e: e | {b"": field(1, 5)}, "5 data files"),
        (lambda e: e | {b"a": b"\x0a\xff"}, "has no end|not a protocol buffer"),
    ],
)
def test_a_bad_tensor_bundle(tmp_path, change, words):
    write_bundle(tmp_path, {"a": ARRAY}, change=change)
    with pytest.raises(CheckpointFormatError, match=words):
        open_weights(tmp_path, from_tf=True)


def test_a_bundle_that_is_cut_or_compressed(tmp_path):
    write_bundle(tmp_path, {"a": ARRAY})
    index = tmp_path / "model.ckpt.index"
    whole = index.read_bytes()
    index.write_bytes(whole[:-3])
    with pytest.raises(CheckpointFormatError, match="cut off"):
        open_weights(tmp_path, from_tf=True)
    index.write_bytes(whole[: len(whole) - 53] + b"\x01" + whole[len(whole) - 52 :])
    with pytest.raises(CheckpointFormatError, match="compressed"):
        open_weights(tmp_path, from_tf=True)


def test_an_hdf5_file_may_not_reach_outside(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file.create_dataset("a", data=ARRAY)
    with h5py.File(tmp_path / "tf_model.h5", "w") as file:
        file["linked"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "a")
        file.create_dataset("own/x/kernel:0", data=ARRAY)
    with open_weights(tmp_path, from_tf=True) as source:
        assert list(source.tensors) == ["x.weight"]
    (tmp_path / "tf_model.h5").write_bytes(b"garbage")
    with pytest.raises(CheckpointFormatError, match="HDF5"):
        open_weights(tmp_path, from_tf=True)


def test_without_h5py_the_extra_is_named(tmp_path, monkeypatch):
    write_keras(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(MissingDependency, match=r"pip install 'zoo-core\[tensorflow\]'"):
        open_weights(tmp_path, from_tf=True)


def test_the_keyword_is_asked_for(tmp_path):
    write_flax(tmp_path)
    with pytest.raises(FileNotInRepository, match="from_flax=True"):
        open_weights(tmp_path)
