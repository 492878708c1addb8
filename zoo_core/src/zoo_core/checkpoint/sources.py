"""Where tensors come from: one protocol over safetensors, pickles, TensorFlow, Flax and dictionaries."""

from __future__ import annotations

import mmap
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import torch
from torch import Tensor

from zoo_core.checkpoint.headers import TensorInfo, read_header
from zoo_core.checkpoint.shards import Format, WeightFiles, locate_weights
from zoo_core.errors import CheckpointFormatError
from zoo_core.hub import Repository

TORCH_DTYPES: dict[str, torch.dtype] = {
    code: getattr(torch, name)
    for code, name in {
        "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "U16": "uint16", "I32": "int32",
        "U32": "uint32", "I64": "int64", "U64": "uint64", "F16": "float16", "BF16": "bfloat16",
        "F32": "float32", "F64": "float64", "C64": "complex64", "F8_E4M3": "float8_e4m3fn",
        "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu", "F8_E4M3FNUZ": "float8_e4m3fnuz",
        "F8_E5M2FNUZ": "float8_e5m2fnuz",
    }.items()
    if hasattr(torch, name)
}  # fmt: skip
"""torch dtype by dtype code of the safetensors format."""
CODES = {dtype: code for code, dtype in TORCH_DTYPES.items()}

ReadMode = Literal["auto", "mmap", "read"]


class WeightSource:
    """Named tensors that are read one by one; a context manager. Methods may be called from several threads.

    ``tensors`` describes them all, in the order in which they are cheapest to read.
    """

    description: str
    """What messages call it."""
    tensors: Mapping[str, TensorInfo]
    names_canonical = False
    """Whether the names may be those inside the model rather than those of files."""

    def read(self, name: str, *, keep: bool = True) -> Tensor:
        """The tensor, on the CPU, in its own dtype. ``keep=False``: the caller will copy it at once."""
        raise NotImplementedError

    def shared(self, name: str) -> bool:
        """Whether ``read`` gives memory that somebody else holds and may write to."""
        return False

    def close(self) -> None:
        """Let go of the files; tensors that were read stay valid."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FileSource(WeightSource):
    """Tensors that lie as they are in files: mapped without a copy, or read in order where mapping is slow.

    A mapped tensor is private: writing to it never reaches the file. Each has a storage of its own, of just
    its size. ``mode="auto"`` maps unless the files lie on a network file system, where page faults cost a
    round trip each.
    """

    def __init__(
        self,
        tensors: Mapping[str, TensorInfo],
        sizes: Mapping[str, int],
        *,
        description: str,
        mode: ReadMode = "auto",
    ) -> None:
        self.description = description
        self.tensors = tensors
        self._sizes = sizes
        self._mapped = mode == "mmap" or (mode == "auto" and not any(map(on_network, sizes)))
        self._maps: dict[str, mmap.mmap] = {}
        self._descriptors: dict[str, int] = {}
        self._lock = threading.Lock()

    def read(self, name: str, *, keep: bool = True) -> Tensor:
        info = self.tensors[name]
        dtype = TORCH_DTYPES.get(info.dtype)
        if dtype is None:
            raise CheckpointFormatError(
                f"{info.file}: tensor {name!r} has the dtype {info.dtype}, unknown to torch"
            )
        if not info.elements:
            return torch.empty(info.shape, dtype=dtype)
        end = info.start + info.nbytes
        if end > self._sizes[info.file]:
            raise CheckpointFormatError(f"{info.file}: tensor {name!r} ends at byte {end:,}, beyond the file")
        if keep and self._mapped and info.start % dtype.itemsize == 0:
            flat = torch.frombuffer(self._map(info.file), dtype=dtype, count=info.elements, offset=info.start)
            return flat.view(info.shape)
        tensor = torch.empty(info.shape, dtype=dtype)
        self._read_into(info, memoryview(tensor.view(-1).view(torch.uint8).numpy().data))
        return tensor

    def _map(self, file: str) -> mmap.mmap:
        with self._lock:
            if file not in self._maps:
                with open(file, "rb") as handle:
                    self._check_size(file, os.fstat(handle.fileno()).st_size)
                    made = self._maps[file] = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_COPY)
                if hasattr(mmap, "MADV_WILLNEED"):  # the disk reads ahead while the model is put together
                    made.madvise(mmap.MADV_WILLNEED)
            return self._maps[file]

    def _read_into(self, info: TensorInfo, view: memoryview) -> None:
        with self._lock:
            if info.file not in self._descriptors:
                descriptor = os.open(info.file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
                self._descriptors[info.file] = descriptor
                self._check_size(info.file, os.fstat(descriptor).st_size)
            descriptor = self._descriptors[info.file]
        done = 0
        while done < len(view):
            count = os.preadv(descriptor, [view[done : done + 2**28]], info.start + done)
            if count <= 0:
                raise CheckpointFormatError(f"{info.file} became shorter while it was read.")
            done += count

    def _check_size(self, file: str, size: int) -> None:
        if size != self._sizes[file]:
            raise CheckpointFormatError(
                f"{file} changed while it was read: {self._sizes[file]:,} bytes, now {size:,}."
            )

    def close(self) -> None:
        with self._lock:
            self._maps.clear()  # unmapped when the last tensor that lives in it is gone
            for descriptor in self._descriptors.values():
                os.close(descriptor)
            self._descriptors.clear()


def safetensors_source(files: WeightFiles, *, mode: ReadMode = "auto") -> FileSource:
    """The source for safetensors files, headers and index checked."""
    headers = {str(path): read_header(path) for path in files.files}
    files.check({path: header.tensors for path, header in headers.items()})
    tensors = {name: info for header in headers.values() for name, info in header.tensors.items()}
    sizes = {path: header.size for path, header in headers.items()}
    return FileSource(tensors, sizes, description=str(files.index or files.files[0]), mode=mode)


class DictSource(WeightSource):
    """A ``state_dict`` that is already in memory, under canonical or Hub names. Its tensors are copied."""

    names_canonical = True

    def __init__(self, state_dict: Mapping[str, Tensor], *, description: str = "state_dict") -> None:
        self.description = description
        self._tensors = {name: tensor for name, tensor in state_dict.items() if isinstance(tensor, Tensor)}
        self.tensors = {name: describe(tensor) for name, tensor in self._tensors.items()}

    def read(self, name: str, *, keep: bool = True) -> Tensor:
        return self._tensors[name].detach()

    def shared(self, name: str) -> bool:
        return True


def describe(tensor: Tensor, file: str = "") -> TensorInfo:
    """What is known of a tensor in memory, in the form that files use."""
    code = CODES.get(tensor.dtype)
    if code is None or tensor.layout is not torch.strided:
        raise CheckpointFormatError(
            f"{file or 'state_dict'}: a tensor of {tensor.dtype}, {tensor.layout}: "
            f"weights are dense tensors of {', '.join(map(str, CODES))}"
        )
    return TensorInfo(code, tuple(tensor.shape), file)


def open_weights(
    repository: Repository | str | os.PathLike[str],
    *,
    variant: str | None = None,
    use_safetensors: bool | None = None,
    from_tf: bool = False,
    from_flax: bool = False,
    mode: ReadMode = "auto",
) -> WeightSource:
    """The weights of ``repository`` (see :func:`locate_weights`), described and checked but not read.

    ``mode``: "mmap", "read" (in order, for network file systems) or "auto".
    """
    if not isinstance(repository, Repository):
        repository = Repository(repository)
    return open_files(
        locate_weights(
            repository, variant=variant, use_safetensors=use_safetensors, from_tf=from_tf, from_flax=from_flax
        ),
        mode=mode,
    )


def open_files(files: WeightFiles, *, mode: ReadMode = "auto") -> WeightSource:
    """The source for files that were located."""
    if files.format is Format.SAFETENSORS:
        return safetensors_source(files, mode=mode)
    if files.format is Format.PICKLE:
        from zoo_core.checkpoint.pickles import PickleSource

        return PickleSource(files)
    from zoo_core.checkpoint.foreign import foreign_source

    return foreign_source(files, mode=mode)


# fmt: off
_NETWORK = ("nfs", "lustre", "gpfs", "fuse", "9p", "cifs", "smb", "ceph", "afs", "beegfs", "glusterfs",
            "wekafs", "virtiofs", "pvfs")
# fmt: on


def on_network(path: str | os.PathLike[str]) -> bool:
    """Whether ``path`` lies on a network or user-space file system, where page faults are slow.

    Read from the mount table; False where there is none to ask (not Linux).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    real = os.path.realpath(path)
    best, kind = "", ""
    for line in mounts:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].encode("ascii", "backslashreplace").decode("unicode_escape").rstrip("/")
        if (real == point or real.startswith(f"{point}/")) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind.startswith(_NETWORK)
