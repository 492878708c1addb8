"""Hostile data in bulk: worker replies, the auto_map grammar, the record file.

Each check allows the errors that are meant for such data and nothing else: no crash, no other exception, no
read outside of the shared memory (which lies between pages that may not be touched), no long run. The number
of cases is ``FUZZ_CASES`` for each of eight checks, 400 unless set, and ``FUZZ_BULK`` for the ninth,
which makes many from each seed, 20,000 unless set.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import mmap
import os
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings, strategies as st

from zoo_core.checkpoint.matching import Policies
from zoo_core.checkpoint.names import NamePlan
from zoo_core.errors import CheckpointError, ConfigError, SandboxError
from zoo_core.remote.automap import parse_auto_map, parse_reference
from zoo_core.remote.host import parts, session
from zoo_core.remote.host.process import Worker
from zoo_core.remote.sanitise import printable
from zoo_core.remote.store import parse_records
from zoo_core.remote.wire import memory
from zoo_core.remote.wire.arena import Arena
from zoo_core.remote.wire.codec import DTYPES, Decoder, Opaque
from zoo_core.remote.wire.frames import FrameBuffer, ProtocolError, pack, unpack
from zoo_core.remote.wire.naming import decode_tables

CASES = int(os.environ.get("FUZZ_CASES", "400"))
BULK = int(os.environ.get("FUZZ_BULK", "20000"))
BATCH = 1000
SIZE = 4 * mmap.PAGESIZE
SLOWEST = 2.0  # seconds of the processor, which a busy machine does not lengthen

often = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


class GuardedArena(Arena):
    """Shared memory with a page before and after it that ends the process when it is touched."""

    def __init__(self) -> None:
        reserve = memory._libc.mmap(
            None, SIZE + 2 * mmap.PAGESIZE, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0
        )
        assert reserve not in (None, ctypes.c_void_p(-1).value)
        descriptor = memory.make_memfd("zoo-fuzz", SIZE)
        super().__init__(descriptor, SIZE, writable=True)
        fixed = mmap.MAP_SHARED | 0x10
        place = memory._libc.mmap(reserve + mmap.PAGESIZE, SIZE, 3, fixed, descriptor, 0)
        assert place == reserve + mmap.PAGESIZE
        os.close(descriptor)
        self._memory.close()
        self._memory.address = place
        noise = torch.randint(0, 256, (SIZE,), dtype=torch.uint8)
        ctypes.memmove(place, noise.data_ptr(), SIZE)


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    yield GuardedArena()


numbers = st.one_of(
    st.integers(),
    st.sampled_from([0, 1, -1, 63, 64, SIZE - 1, SIZE, SIZE + 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64]),
    st.floats(),
    st.booleans(),
)
scalars = st.one_of(
    st.none(), numbers, st.text(max_size=8), st.sampled_from([*DTYPES, "nan", "inf", "object"])
)
shapes = st.one_of(st.lists(st.one_of(st.integers(0, 70), numbers), max_size=5), scalars)
tensors = st.tuples(
    st.one_of(st.sampled_from([*DTYPES]), scalars), shapes, st.one_of(st.integers(0, SIZE), numbers)
)
kinds = st.sampled_from(["T", "G", "n", "t", "d", "o", "f", "y", "b", "h", "i", "", "x"])


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    described = tensors.map(list)
    return st.one_of(
        st.lists(inner, max_size=4),
        st.builds(lambda kind, content: {kind: content}, kinds, st.one_of(described, inner)),
        st.builds(lambda content: {"T": content}, described),
        st.builds(
            lambda mode, content: {"i": [mode, content]}, st.sampled_from(["RGB", "L", "P"]), described
        ),
        st.builds(lambda pairs: {"d": pairs}, st.lists(st.tuples(scalars, inner).map(list), max_size=3)),
        st.builds(lambda n, pairs: {"o": [n, pairs]}, st.text(max_size=4), st.lists(inner, max_size=2)),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
    )


values = st.recursive(scalars, objects, max_leaves=12)


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < max(60.0, CASES * 0.05, BULK * 0.01), "hostile data took too long"


@often
@given(value=values)
def test_reply_values(arena: Arena, value: Any) -> None:
    started = time.process_time()
    decoder = Decoder(arena, kept=lambda number, text: Opaque(number, text), output=session._output)
    with contextlib.suppress(SandboxError):
        decoder.decode(value)
    assert time.process_time() - started < SLOWEST


@often
@given(
    pieces=st.lists(
        st.one_of(st.binary(max_size=40), st.sampled_from([b"\x02\0\0\0{}", b"\xff\xff\xff\x7f"])), max_size=6
    )
)
def test_reply_bytes(pieces: list[bytes]) -> None:
    buffer = FrameBuffer(1 << 20)
    try:
        for piece in pieces:
            buffer.feed(piece)
            while (body := buffer.next()) is not None:
                unpack(body)
    except ProtocolError:
        pass


@often
@given(
    reply=st.one_of(
        st.dictionaries(st.sampled_from(["id", "ok", "error", "x"]), values, max_size=3),
        st.fixed_dictionaries(
            {"id": st.just(1), "error": st.lists(st.text(max_size=30), min_size=3, max_size=3)}
        ),
        st.fixed_dictionaries({"id": st.just(1), "ok": values}),
    )
)
def test_replies(reply: dict[str, Any]) -> None:
    try:
        Worker._checked(None, reply, 1)  # type: ignore[arg-type]
    except SandboxError as error:
        text = "".join([str(error), *getattr(error, "__notes__", [])])
        assert printable(text) == text


@often
@given(
    row=st.one_of(
        values,
        st.tuples(
            st.text(max_size=6),
            st.sampled_from([*DTYPES]),
            shapes,
            st.booleans(),
            st.lists(scalars, max_size=2),
        ).map(list),
    ),
    about=values,
)
def test_tables_and_descriptions(row: Any, about: Any) -> None:
    for check, data in ((session._row, row), (session._description, about)):
        with contextlib.suppress(SandboxError):
            check(data)  # type: ignore[operator]


paths = st.one_of(st.sampled_from(["w", "b", "*", "in.w", "in.*", "in", "", "x.*.y"]), scalars)
settings_of_ops = st.dictionaries(
    st.sampled_from(["dim", "groups", "sizes", "dims", "view", "shape", "x"]),
    st.one_of(st.integers(-3, 9), numbers, st.lists(st.integers(-2, 5), max_size=4)),
    max_size=2,
)
sources = st.recursive(
    paths,
    lambda inner: st.builds(
        lambda kind, parts, more: {"op": kind, "sources": parts, **more},
        st.sampled_from(["Fused", "Split", "Stacked", "Transposed", "Permuted", "Reshaped", "Op", ""]),
        st.lists(inner, max_size=3),
        settings_of_ops,
    ),
    max_leaves=6,
)


@often
@given(
    names=st.lists(st.tuples(st.one_of(paths, st.lists(paths, max_size=2)), sources).map(list), max_size=3),
    ignored=st.lists(st.one_of(paths, st.text("ab*^$.(", max_size=9)), max_size=2),
    place=st.sampled_from(["", "in", "a.b"]),
)
def test_names_in_files(names: list[Any], ignored: list[Any], place: str) -> None:
    started = time.process_time()
    model = torch.nn.Module()
    inner = torch.nn.Module()
    for part in (model, inner):
        part.w, part.b = torch.nn.Parameter(torch.zeros(4, 6)), torch.nn.Parameter(torch.zeros(4))
    model.add_module("in", inner)
    rows = {name: tuple(value.shape) for name, value in model.named_parameters()}
    table = {"tables": [{"names": names, "ignored": ignored}], "places": {place: 0}}
    with contextlib.suppress(SandboxError, CheckpointError, ValueError, RuntimeError, IndexError):
        parts.put_names(model, decode_tables(table, rows))
        Policies.of(model)
        for row in NamePlan.of(model).rows:
            given_shapes = [rows[name] for name in row.canonical]
            if row.op is not None:
                row.op.from_hub(lambda name: torch.zeros(4, 6), given_shapes)
    assert time.process_time() - started < SLOWEST


words = st.sampled_from(
    [
        "mod",
        "Class",
        "a",
        "B",
        ".",
        "..",
        "/",
        "--",
        "\\",
        "org/name",
        "\0",
        "\n",
        " ",
        "é",
        "~",
        "-",
        "1",
        "_",
    ]
)


@often
@given(text=st.one_of(st.lists(words, max_size=8).map("".join), st.text(max_size=20), values))
def test_references(text: Any) -> None:
    try:
        found = parse_reference(text)
    except ConfigError as error:
        assert str(error).isascii()
        return
    assert parse_reference(str(found)) == found
    path = os.path.normpath(os.path.join("/repo", found.filename))
    assert path.startswith("/repo/") and path == os.path.join("/repo", found.filename)
    assert found.repo is None or (found.repo.count("/") == 1 and ".." not in found.repo)


@often
@given(
    value=st.one_of(
        values,
        st.dictionaries(st.text(max_size=6), st.one_of(st.lists(words).map("".join), values), max_size=4),
    )
)
def test_auto_maps(value: Any) -> None:
    with contextlib.suppress(ConfigError):
        parse_auto_map(value)


VALID = {
    "repo": "org/name",
    "commit": "a" * 40,
    "code_repo": "org/name",
    "code_commit": None,
    "files": {"m.py": {"sha256": "0" * 64, "size": 1}},
    "entry": {"AutoModel": "m.M"},
    "imports": ["torch"],
    "level": "sandbox",
    "approved_by": "tofu",
    "first_seen": "2026-01-01T00:00:00+00:00",
}


@often
@given(
    text=st.one_of(
        st.binary(max_size=60),
        st.builds(
            lambda key, value: json.dumps({"version": 1, "records": [{**VALID, key: value}]}),
            st.sampled_from([*VALID]),
            values,
        ),
        st.builds(lambda items: json.dumps({"version": 1, "records": items}), values),
        st.builds(
            lambda at, with_: json.dumps({"version": 1, "records": [VALID]})[:at] + with_,
            st.integers(0, 400),
            st.text(max_size=5),
        ),
    )
)
def test_record_files(text: str | bytes) -> None:
    try:
        records = parse_records(text, source="fuzz")
    except ConfigError:
        return
    assert parse_records(json.dumps(records.to_json()), source="again").to_json() == records.to_json()


class Hostile:
    """Makes hostile data fast, from a seed that hypothesis chooses: structures, and damaged valid
    messages."""

    SCALARS = (
        None, True, False, 0, 1, -1, 3, 64, SIZE, SIZE - 4, 2**31, 2**63, -(2**63), 2**70, 1.5, 1e308, "",
        "nan", "\u00e9\x1b", "float32", "bool", "mod.Class", "a" * 300,
    )  # fmt: skip
    TEXTS = ("mod.Class", "sub/mod.Class", "org/name--mod.Class", "/etc/mod.Class", "../mod.Class", "a.b.c.D")

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self, depth: int = 0) -> Any:
        choose = self.random.choice
        kind = self.random.random()
        if depth > 4 or kind < 0.3:
            return choose(self.SCALARS)
        if kind < 0.6:
            shape = [choose((0, 1, 2, 7, 64, SIZE, -1, 2**40, True)) for _ in range(self.random.randrange(5))]
            offset = choose((0, 64, self.random.randrange(SIZE), SIZE, -8, 2**62, 1.0))
            return {
                choose("TGn"): [choose((*DTYPES, "object", 1)), choose((shape, 3, "x")), offset][
                    : choose((2, 3, 3, 3, 4))
                ]
            }
        if kind < 0.75:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        if kind < 0.9:
            pairs = [
                [choose(("a", "b", 1, None)), self.value(depth + 1)] for _ in range(self.random.randrange(3))
            ]
            return choose(({"d": pairs}, {"o": [choose(("X", "CausalLMOutput", 1)), pairs]}, {"t": pairs}))
        return {choose("fybhix"): self.value(depth + 1)}

    def damaged(self, data: bytes) -> bytes:
        broken = bytearray(data)
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(broken) + 1)
            if self.random.random() < 0.5 and at < len(broken):
                broken[at] = self.random.randrange(256)
            elif self.random.random() < 0.5:
                broken[at:at] = self.random.choice(
                    (b'"', b"{", b"]", b"1e999", b"\xff", b"null,", b"-", b"\\u0000")
                )
            else:
                del broken[at : at + self.random.randrange(1, 9)]
        return bytes(broken)

    def text(self) -> str:
        return self.damaged(self.random.choice(self.TEXTS).encode()).decode("latin-1")


@settings(often, max_examples=max(1, BULK // BATCH))
@given(seed=st.integers(0, 2**63))
def test_in_bulk(arena: Arena, seed: int) -> None:
    hostile = Hostile(seed)
    frame = pack({"id": 1, "ok": {"value": {"d": [["a", {"T": ["float32", [2, 3], 64]}]]}}}, limit=1 << 20)
    record = json.dumps({"version": 1, "records": [VALID]}).encode()
    for case in range(BATCH):
        started = time.process_time()
        with contextlib.suppress(SandboxError, ConfigError):
            if case % 4 == 0:
                decoder = Decoder(arena, kept=lambda number, text: None, output=session._output)
                decoder.decode(hostile.value())
            elif case % 4 == 1:
                buffer = FrameBuffer(1 << 20)
                buffer.feed(hostile.damaged(frame))
                if (body := buffer.next()) is not None:
                    answer = Worker._checked(None, unpack(body), 1)  # type: ignore[arg-type]
                    decoder = Decoder(arena, kept=lambda number, text: None, output=session._output)
                    decoder.decode(answer.get("value"))
            elif case % 4 == 2:
                found = parse_reference(hostile.text())
                assert os.path.normpath("/repo/" + found.filename) == "/repo/" + found.filename
            else:
                parse_records(hostile.damaged(record), source="fuzz")
        assert time.process_time() - started < SLOWEST
