"""Converting a pickle checkpoint that needs more than tensors: opened in a worker, kept as safetensors."""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch
from torch import Tensor

from zoo_core.errors import UnsafeCheckpoint
from zoo_core.remote.host.process import Worker
from zoo_core.remote.trust import SandboxPolicy
from zoo_core.remote.wire.codec import DTYPES, Decoder, Encoder, check_shape
from zoo_core.remote.wire.frames import ProtocolError

_MOST_BYTES = 1 << 46
_NAME = re.compile(r"[\x21-\x7e]{1,1000}")


def read_pickle_in_sandbox(
    path: str | os.PathLike[str], *, trust_pickle: bool = False, policy: SandboxPolicy | None = None
) -> dict[str, Tensor]:
    """The tensors of a pickle by name, whatever else it builds: that is built, and dropped, in the sandbox.

    ``trust_pickle=True`` is the caller's consent that its code runs there. Raises
    :class:`UnsafeCheckpoint` without it, :class:`SandboxError` when the pickle fails.
    """
    if not trust_pickle:
        raise UnsafeCheckpoint(
            f"{os.fspath(path)} is a pickle: reading it runs code. Pass trust_pickle=True to run that "
            f"in a sandbox "
            "and take the tensors out"
        )
    policy = policy or SandboxPolicy()
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        worker = Worker(policy, extra=[descriptor])
    finally:
        os.close(descriptor)
    try:
        rows = worker.ask("unpickle", deadline=policy.start_deadline).get("rows")
        return _fetch(worker, _batches(rows, worker.outbox.size // 2))
    finally:
        worker.close()


def convert_pickle(
    path: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    trust_pickle: bool = False,
    policy: SandboxPolicy | None = None,
) -> list[str]:
    """Write the tensors of a pickle to the safetensors file ``target``; returns their names."""
    from safetensors.torch import save_file

    tensors = read_pickle_in_sandbox(path, trust_pickle=trust_pickle, policy=policy)
    if not tensors:
        raise UnsafeCheckpoint(f"{os.fspath(path)} holds no mapping of names to tensors")
    temporary = Path(f"{os.fspath(target)}.part")
    save_file(tensors, temporary, metadata={"format": "pt"})
    os.replace(temporary, target)
    return list(tensors)


def _batches(rows: object, limit: int) -> list[dict[str, tuple[torch.dtype, tuple[int, ...]]]]:
    """The described tensors in batches that fit in one answer."""
    if not isinstance(rows, list):
        raise ProtocolError("a pickle without a table")
    batches: list[dict[str, tuple[torch.dtype, tuple[int, ...]]]] = [{}]
    size = 0
    for row in rows:
        if not isinstance(row, list) or len(row) != 3 or not all(isinstance(x, str) for x in row[:2]):
            raise ProtocolError("a pickled tensor that is not described by three fields")
        name, dtype, shape = row
        if dtype not in DTYPES or not _NAME.fullmatch(name):
            raise ProtocolError("a pickled tensor of unknown dtype or name")
        sizes, nbytes = check_shape(shape, DTYPES[dtype].itemsize, limit=_MOST_BYTES)
        if batches[-1] and size + nbytes > limit:
            batches.append({})
            size = 0
        batches[-1][name] = (DTYPES[dtype], sizes)
        size += nbytes
    return batches


def _fetch(
    worker: Worker, batches: list[dict[str, tuple[torch.dtype, tuple[int, ...]]]]
) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for batch in batches:
        worker.inbox.reset()
        answer = worker.ask("pickled", value=Encoder(worker.inbox).encode(list(batch)))
        values = Decoder(worker.outbox, kept=_nothing_kept).decode(answer.get("value"))
        if not isinstance(values, dict) or set(values) != set(batch):
            raise ProtocolError("other tensors than were asked for")
        for name, value in values.items():
            dtype, shape = batch[name]
            if not isinstance(value, Tensor) or value.dtype != dtype or tuple(value.shape) != shape:
                raise ProtocolError("a tensor that is not as described")
            found[name] = value
    return found


def _nothing_kept(number: int, description: str) -> Tensor:
    raise ProtocolError("a pickled value that is no tensor")
