"""Python values as JSON, with tensors, arrays and images as descriptors of shared memory.

Numbers, strings, True, False, None and lists are themselves; everything else is an object with one key that
names its kind. The decoder believes nothing: kinds, dtypes, shapes, offsets, depth and counts are checked
before a byte is copied, and tensors are copied out, so that later changes of the memory change nothing.
"""

from __future__ import annotations

import base64
import enum
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import torch

from zoo_core.errors import SandboxError
from zoo_core.remote.wire.arena import Arena
from zoo_core.remote.wire.frames import ProtocolError

DTYPES: Final[dict[str, torch.dtype]] = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
        torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.bool, torch.complex64,
        torch.complex128, torch.float8_e4m3fn, torch.float8_e5m2,
    )
}  # fmt: skip
_NAMES: Final = {dtype: name for name, dtype in DTYPES.items()}
_ARRAY_TYPES: Final = frozenset(
    {
        "float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32",
        "uint64", "bool", "complex64", "complex128",
    }
)  # fmt: skip
_IMAGE_CHANNELS: Final = {"L": 1, "RGB": 3, "RGBA": 4, "CMYK": 4, "YCbCr": 3, "HSV": 3, "LAB": 3}

MAX_DEPTH: Final = 32
MAX_NODES: Final = 200_000
MAX_RANK: Final = 32


class Unsendable(SandboxError, TypeError):
    """A value that cannot pass between a program and its sandbox."""


class Opaque:
    """Something that stays in the worker, such as a cache; known here by a number only."""

    def __init__(self, number: int, description: str, owner: object = None) -> None:
        self.number = number
        self.owner = owner
        self._description = description

    def __repr__(self) -> str:
        return f"<{self._description} in the sandbox>"


def check_shape(shape: object, itemsize: int, *, limit: int) -> tuple[tuple[int, ...], int]:
    """The dimensions and the bytes of a tensor that an untrusted message describes."""
    if not isinstance(shape, list) or len(shape) > MAX_RANK:
        raise ProtocolError("a tensor whose shape is not a short list")
    product, bound = 1, 1
    for size in shape:
        if type(size) is not int or not 0 <= size <= limit:
            raise ProtocolError("a tensor with an impossible dimension")
        product *= size
        bound *= max(size, 1)
        if bound > limit:
            raise ProtocolError("a tensor larger than the shared memory")
    return tuple(shape), product * itemsize


def read_tensor(fields: object, arena: Arena, budget: list[int]) -> torch.Tensor:
    """The tensor that ``[dtype, shape, offset]`` describes, copied out of ``arena``."""
    if not isinstance(fields, list) or len(fields) != 3:
        raise ProtocolError("a tensor that is not [dtype, shape, offset]")
    name, shape, offset = fields
    dtype = DTYPES.get(name) if isinstance(name, str) else None
    if dtype is None or type(offset) is not int:
        raise ProtocolError("a tensor of unknown dtype or offset")
    dimensions, length = check_shape(shape, dtype.itemsize, limit=arena.size)
    if offset < 0 or length > arena.size - offset:
        raise ProtocolError("a tensor outside of the shared memory")
    budget[0] -= length
    if budget[0] < 0:
        raise ProtocolError("tensors that together exceed the shared memory")
    if dtype is torch.bool:  # A byte other than 0 and 1 is no valid boolean.
        raw = torch.empty(dimensions, dtype=torch.uint8)
        arena.read(offset, length, raw.data_ptr())
        return raw != 0
    tensor = torch.empty(dimensions, dtype=dtype)
    arena.read(offset, length, tensor.data_ptr())
    return tensor


def write_tensor(tensor: torch.Tensor, arena: Arena) -> list[Any]:
    """Copy ``tensor`` into ``arena`` and describe it."""
    name = _NAMES.get(tensor.dtype)
    if name is None or tensor.layout is not torch.strided:
        raise Unsendable(f"a tensor of dtype {tensor.dtype}, layout {tensor.layout} cannot pass the sandbox")
    if tensor.device.type != "cpu":
        raise Unsendable(
            f"a tensor on {tensor.device} cannot pass the sandbox, which computes on the CPU only for now"
        )
    plain = tensor.detach().resolve_conj().resolve_neg().contiguous()
    return [name, list(plain.shape), arena.write(plain.data_ptr(), plain.numel() * plain.element_size())]


class Encoder:
    """Turns values into JSON. ``keep`` takes what has no form of its own, or None to refuse it.

    Tensors for which ``tracked`` says so carry a mark and are collected in :attr:`marked`, in order.
    """

    def __init__(
        self,
        arena: Arena,
        *,
        keep: Callable[[Any], dict[str, Any]] | None = None,
        tracked: Callable[[torch.Tensor], bool] | None = None,
    ) -> None:
        self._arena = arena
        self._keep = keep
        self._tracked = tracked
        self.marked: list[torch.Tensor] = []

    def encode(self, value: Any, depth: int = 0) -> Any:
        """``value`` as JSON. Raises :class:`Unsendable`."""
        if value is None or value is True or value is False or type(value) is str:
            return value
        if type(value) is int:
            return value if -(1 << 63) <= value < 1 << 64 else self._other(value, depth)
        if type(value) is float:
            return value if math.isfinite(value) else {"f": repr(value)}
        if depth > MAX_DEPTH:
            raise Unsendable(f"values nested deeper than {MAX_DEPTH}")
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if type(value) is list:
            return [self.encode(item, depth + 1) for item in value]
        if isinstance(value, Mapping):
            kind = type(value).__name__ if hasattr(value, "to_tuple") else None
            pairs = [[self._key(key), self.encode(item, depth + 1)] for key, item in value.items()]
            return {"o": [kind, pairs]} if kind else {"d": pairs}
        if isinstance(value, tuple):
            return {"t": [self.encode(item, depth + 1) for item in value]}
        return self._other(value, depth)

    def _tensor(self, value: torch.Tensor) -> dict[str, Any]:
        fields = write_tensor(value, self._arena)
        if self._tracked is not None and self._tracked(value):
            self.marked.append(value)
            return {"G": fields}
        return {"T": fields}

    def _key(self, key: Any) -> Any:
        if isinstance(key, str) or type(key) is int:
            return str(key) if isinstance(key, str) else key
        raise Unsendable(f"a mapping with the key {key!r}; keys must be strings or integers")

    def _other(self, value: Any, depth: int) -> Any:
        if isinstance(value, enum.Enum):
            return self.encode(value.value, depth + 1)
        if isinstance(value, str):
            return str(value)
        if isinstance(value, np.generic):
            return self.encode(value.item(), depth + 1)
        if isinstance(value, np.ndarray):
            if value.dtype.name not in _ARRAY_TYPES:
                raise Unsendable(f"an array of dtype {value.dtype} cannot pass the sandbox")
            return {"n": write_tensor(torch.from_numpy(np.array(value, order="C")), self._arena)}
        if isinstance(value, torch.dtype):
            return {"y": str(value).removeprefix("torch.")}
        if isinstance(value, torch.device):
            return str(value)
        if isinstance(value, bytes):
            return {"b": base64.b64encode(value).decode()}
        if isinstance(value, Opaque):
            return {"h": [value.number, ""]}
        if isinstance(value, set | frozenset):
            return [self.encode(item, depth + 1) for item in sorted(value, key=str)]
        if type(value).__module__.startswith("PIL.") and hasattr(value, "convert"):
            return self._image(value)
        if self._keep is not None:
            return self._keep(value)
        raise Unsendable(
            f"a {type(value).__name__} cannot pass into the sandbox; tensors, arrays, images, numbers, "
            "strings and collections of them can"
        )

    def _image(self, image: Any) -> dict[str, Any]:
        if image.mode not in _IMAGE_CHANNELS:
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        pixels = torch.from_numpy(np.array(image))
        return {"i": [image.mode, write_tensor(pixels, self._arena)]}


class Decoder:
    """Turns JSON of the other end into values. Raises :class:`ProtocolError` for what no encoder writes.

    ``output`` builds the result classes of models; ``kept`` finds what a number stands for. Marked tensors
    are collected in :attr:`marked`, in order.
    """

    def __init__(
        self,
        arena: Arena,
        *,
        kept: Callable[[int, str], Any],
        output: Callable[[str, dict[Any, Any]], Any] | None = None,
    ) -> None:
        self._arena = arena
        self._kept = kept
        self._output = output
        self._nodes = MAX_NODES
        self._budget = [arena.size]
        self.marked: list[torch.Tensor] = []

    def decode(self, value: Any, depth: int = 0) -> Any:
        """The value that ``value`` spells."""
        if value is None or isinstance(value, bool | str | int | float):
            return value
        self._nodes -= 1
        if depth > MAX_DEPTH or self._nodes < 0:
            raise ProtocolError("values nested too deep, or too many of them")
        if isinstance(value, list):
            return [self.decode(item, depth + 1) for item in value]
        if not isinstance(value, dict) or len(value) != 1:
            raise ProtocolError("an object that is not one kind with its contents")
        ((kind, content),) = value.items()
        decode = self._KINDS.get(kind)
        if decode is None:
            raise ProtocolError(f"a value of the unknown kind {ascii(kind)[:20]}")
        return decode(self, content, depth)

    def _tensor(self, content: Any, depth: int) -> torch.Tensor:
        return read_tensor(content, self._arena, self._budget)

    def _graph_tensor(self, content: Any, depth: int) -> torch.Tensor:
        tensor = self._tensor(content, depth)
        if not (tensor.is_floating_point() or tensor.is_complex()):
            raise ProtocolError("a gradient for a tensor that cannot have one")
        self.marked.append(tensor)
        return tensor

    def _array(self, content: Any, depth: int) -> Any:
        tensor = self._tensor(content, depth)
        if _NAMES[tensor.dtype] not in _ARRAY_TYPES:
            raise ProtocolError("an array of a dtype that arrays lack")
        return tensor.numpy()

    def _tuple(self, content: Any, depth: int) -> tuple[Any, ...]:
        if not isinstance(content, list):
            raise ProtocolError("a tuple that is not a list")
        return tuple(self.decode(item, depth + 1) for item in content)

    def _mapping(self, content: Any, depth: int) -> dict[Any, Any]:
        if not isinstance(content, list):
            raise ProtocolError("a mapping that is not a list of pairs")
        found: dict[Any, Any] = {}
        for pair in content:
            if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) not in (str, int):
                raise ProtocolError("a mapping with a broken pair")
            found[pair[0]] = self.decode(pair[1], depth + 1)
        return found

    def _result(self, content: Any, depth: int) -> Any:
        if not isinstance(content, list) or len(content) != 2 or not isinstance(content[0], str):
            raise ProtocolError("a model output without a name")
        fields = self._mapping(content[1], depth)
        if not all(isinstance(key, str) and key.isidentifier() for key in fields):
            raise ProtocolError("a model output with fields that are no names")
        return self._output(content[0], fields) if self._output is not None else fields

    def _float(self, content: Any, depth: int) -> float:
        if content not in ("nan", "inf", "-inf"):
            raise ProtocolError("a float that is none")
        return float(content)

    def _dtype(self, content: Any, depth: int) -> torch.dtype:
        if not isinstance(content, str) or content not in DTYPES:
            raise ProtocolError("an unknown dtype")
        return DTYPES[content]

    def _bytes(self, content: Any, depth: int) -> bytes:
        try:
            return base64.b64decode(content, validate=True)
        except (ValueError, TypeError):
            raise ProtocolError("bytes that are not base64") from None

    def _handle(self, content: Any, depth: int) -> Any:
        if not isinstance(content, list) or len(content) != 2 or type(content[0]) is not int:
            raise ProtocolError("a broken reference to something kept")
        if not isinstance(content[1], str) or len(content[1]) > 200:
            raise ProtocolError("a reference without a short description")
        return self._kept(content[0], content[1])

    def _image(self, content: Any, depth: int) -> Any:
        from PIL import Image

        if not isinstance(content, list) or len(content) != 2 or not isinstance(content[0], str):
            raise ProtocolError("a broken image")
        if content[0] not in _IMAGE_CHANNELS:
            raise ProtocolError("a broken image")
        pixels = read_tensor(content[1], self._arena, self._budget)
        channels = _IMAGE_CHANNELS[content[0]]
        expected = 2 if channels == 1 else 3
        if pixels.dtype is not torch.uint8 or pixels.dim() != expected or 0 in pixels.shape:
            raise ProtocolError("an image whose pixels are not height, width, channels")
        if expected == 3 and pixels.shape[-1] != channels:
            raise ProtocolError("an image with the wrong number of channels")
        return Image.frombytes(content[0], (pixels.shape[1], pixels.shape[0]), pixels.numpy().tobytes())

    _KINDS: Final[dict[str, Callable[[Decoder, Any, int], Any]]] = {
        "T": _tensor, "G": _graph_tensor, "n": _array, "t": _tuple, "d": _mapping, "o": _result, "f": _float,
        "y": _dtype, "b": _bytes, "h": _handle, "i": _image,
    }  # fmt: skip
