import json

import pytest
import torch
from safetensors.torch import save_file

from zoo_core.checkpoint import read_header
from zoo_core.errors import CheckpointFormatError


def packed(header, data=b"", *, length=None):
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(raw) if length is None else length).to_bytes(8, "little") + raw + data


def tensor(begin, end, dtype="F32", shape=None):
    return {
        "dtype": dtype,
        "shape": [(end - begin) // 4] if shape is None else shape,
        "data_offsets": [begin, end],
    }


BAD = {
    "empty": (b"", "too few"),
    "cut in the header": (packed({"a": tensor(0, 8)})[:20], "cut off"),
    "cut in the data": (packed({"a": tensor(0, 8)}, bytes(4)), "cut off"),
    "huge": (packed(b"{}", length=2**40), "the limit is 100,000,000"),
    "a pickle": (b"\x80\x02}q\x00X\x01\x00\x00", "pickle or zip"),
    "a zip": (b"PK\x03\x04" + b"\xff" * 60, "pickle or zip"),
    "too long": (packed({"a": tensor(0, 8)}, bytes(9)), "1 bytes at the end"),
    "not JSON": (packed(b"{nope"), "not JSON"),
    "nested": (packed(b'{"a":' + b"[" * 200_000), "not JSON"),
    "a list": (packed(b"[]"), "begins with"),
    "not UTF-8": (packed(b'{"\xff\xfe": 1}'), "not UTF-8"),
    "twice": (packed(b'{"a": 1, "a": 1}'), "names 'a' twice"),
    "a long number": (packed(b'{"a": ' + b"9" * 5000 + b"}"), "not JSON"),
    "overlap": (packed({"a": tensor(0, 8), "b": tensor(4, 12)}, bytes(12)), "'a' and 'b' overlap"),
    "gap": (packed({"a": tensor(0, 4), "b": tensor(8, 12)}, bytes(12)), "4 bytes before tensor 'b'"),
    "lying shape": (packed({"a": tensor(0, 8, shape=[3])}, bytes(8)), "needs 12 bytes"),
    "terabytes": (packed({"a": tensor(0, 8, shape=[2**40])}, bytes(8)), "needs 4,398,046,511,104 bytes"),
    "negative": (packed({"a": tensor(0, 8, shape=[-2])}, bytes(8)), "not a list of sizes"),
    "true": (packed({"a": tensor(0, 4, shape=[True])}, bytes(4)), "not a list of sizes"),
    "backwards": (packed({"a": tensor(4, 0, shape=[1])}, bytes(4)), "begin and an end"),
    "dtype": (packed({"a": tensor(0, 8, dtype="F33")}, bytes(8)), "'F33'"),
    "fields": (packed({"a": {"dtype": "F32"}}), "dtype, shape and data_offsets"),
    "metadata": (packed({"__metadata__": {"a": 1}}), "object of strings"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), BAD.values(), ids=BAD.keys())
def test_a_header_that_lies_is_refused(tmp_path, content, words):
    file = tmp_path / "model.safetensors"
    file.write_bytes(content)
    with pytest.raises(CheckpointFormatError) as error:
        read_header(file)
    assert words in str(error.value) and str(file) in str(error.value)


def test_a_true_header_says_what_the_file_holds(tmp_path):
    file = tmp_path / "model.safetensors"
    tensors = {"b": torch.ones(2, 3, dtype=torch.bfloat16), "a": torch.zeros(4), "none": torch.zeros(0, 5)}
    save_file(tensors, file, metadata={"format": "pt"})
    header = read_header(file)
    assert header.metadata == {"format": "pt"} and header.size == file.stat().st_size
    assert {n: (i.dtype, i.shape, i.nbytes) for n, i in header.tensors.items()} == {
        "a": ("F32", (4,), 16),
        "b": ("BF16", (2, 3), 12),
        "none": ("F32", (0, 5), 0),
    }
