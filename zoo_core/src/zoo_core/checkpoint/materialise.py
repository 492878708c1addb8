"""Construction without memory: what a file will bring stays on the meta device, what is computed is real.

Both contexts are torch dispatch modes, which are thread-local: no function is patched and no default is
changed, so models can be built in several threads at once. They see every allocation that a constructor
makes, legacy ones (``torch.Tensor(3, 4)``) included.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from zoo_core.errors import CheckpointError

_aten = torch.ops.aten
_EMPTY = {
    _aten.empty.memory_format,
    _aten.empty_strided.default,
    _aten.empty_permuted.default,
    _aten.empty_like.default,
    _aten.new_empty.default,
    _aten.new_empty_strided.default,
}
_RANDOM = {_aten.randn.default, _aten.rand.default, _aten.randn_like.default, _aten.rand_like.default}
_NOTABLE = 2**16
"""Elements; a random tensor from here on is taken for a weight."""

_META = torch.device("meta")


class _Mode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """What the contexts share: initialising a meta tensor does nothing, and mixing one with real tensors
    gives a meta tensor."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """torch asks this of a mode. The default guards a mode against being compiled and imports the whole
        compiler (a second, 820 modules) when the first tensor is made; a constructor is never compiled."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in _EMPTY:
            return self.empty(func, args, kwargs)
        tensors = [a for a in args if isinstance(a, Tensor)]
        if any(t.is_meta for t in tensors):
            if func._schema.name.endswith("_"):
                return tensors[0]
            args = tuple(a.to(_META) if isinstance(a, Tensor) and a.ndim else a for a in args)
        return self.other(func, args, kwargs)

    def empty(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """An uninitialised tensor is asked for."""
        return func(*args, **kwargs)  # type: ignore[no-any-return]

    def other(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Any other operation."""
        return _allocating(func, args, kwargs)


class skeleton(_Mode):  # type: ignore[no-untyped-call]
    """Within it, uninitialised tensors (``torch.empty`` and what ``nn`` modules make with it) are on the meta
    device with ``dtype`` where they are floating and ask for none; so are large random tensors. All else
    (arange, zeros, ones, arithmetic on them) is real, in the dtype that the code asks for, so that computed
    buffers need no hook. Thread-local.
    """

    def __init__(self, dtype: torch.dtype | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.dtype = dtype or torch.float32

    def empty(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        device = kwargs.get("device")
        if device is not None and torch.device(device).type not in ("cpu", "meta"):
            return super().empty(func, args, kwargs)
        kwargs = {**kwargs, "device": _META}
        kwargs.pop("pin_memory", None)
        if not (args and isinstance(args[0], Tensor)) and kwargs.get("dtype") in (
            None,
            torch.get_default_dtype(),
        ):
            kwargs["dtype"] = self.dtype
        return super().empty(func, args, kwargs)

    def other(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if func in _RANDOM:
            like = args[0] if isinstance(args[0], Tensor) else None
            shape = tuple(args[0] if like is None else like.shape)
            if math.prod(shape) >= _NOTABLE:
                dtype = kwargs.get("dtype") or (self.dtype if like is None else like.dtype)
                return torch.empty(shape, dtype=dtype, device=_META)
        return super().other(func, args, kwargs)


class poisoned(_Mode):  # type: ignore[no-untyped-call]
    """Within it, uninitialised tensors are real and hold poison (see :func:`is_poison`), so that what a
    constructor left unset shows. Those that torch's own modules make stay on the meta device unless
    ``everything`` is asked for. Thread-local.
    """

    def __init__(self, *, everything: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.everything = everything

    def empty(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        if not self.everything and _caller().startswith("torch.nn.modules"):
            return super().empty(func, args, {**kwargs, "device": _META, "pin_memory": None})
        return poison(_allocating(func, args, kwargs))


class lenient(_Mode):  # type: ignore[no-untyped-call]
    """Within it, initialisers may touch meta tensors, to no effect, beside real ones. Thread-local."""


def _caller() -> str:
    """The name of the module, outside torch's dispatch machinery, that runs the operation."""
    frame = sys._getframe(3)
    skipped = ("torch._", "torch.utils._", "torch.overrides", __name__)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith(skipped):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", ""))


def _allocating(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run ``func``; an allocation that the machine cannot serve says which sizes asked for it."""
    try:
        return func(*args, **kwargs)
    except (RuntimeError, MemoryError) as error:
        if "allocate" not in str(error) and not isinstance(error, MemoryError):
            raise
        shown = ", ".join(repr(tuple(a.shape)) if isinstance(a, Tensor) else repr(a) for a in args)
        raise CheckpointError(
            f"Building the model needs more memory than there is: {func._schema.name.removeprefix('aten::')}"
            f"({shown}). A size in the config is too large; compare it with the shapes in the weight files."
        ) from error


_INTEGER_POISON = 0x5A


@torch.no_grad()
def poison(tensor: Tensor) -> Tensor:
    """Fill ``tensor`` with what no initialiser writes: NaN; for integers, a fixed pattern of bytes."""
    if tensor.is_meta or not tensor.numel():
        return tensor
    if tensor.is_floating_point() or tensor.is_complex():
        return tensor.fill_(float("nan"))
    return tensor.zero_() if tensor.dtype is torch.bool else tensor.fill_(_pattern(tensor.dtype))


def _pattern(dtype: torch.dtype) -> int:
    return int.from_bytes(bytes([_INTEGER_POISON] * dtype.itemsize), "little")


@torch.no_grad()
def is_poison(tensor: Tensor) -> bool:
    """Whether any element was never written; booleans cannot tell and count as written."""
    if tensor.is_meta:
        return True
    if tensor.is_floating_point() or tensor.is_complex():
        value = tensor.float() if tensor.dtype.itemsize == 1 else tensor
        return bool(torch.isnan(value).any())
    return tensor.dtype is not torch.bool and bool((tensor == _pattern(tensor.dtype)).any())


def construct(factory: Callable[[], nn.Module], *, dtype: torch.dtype | None = None) -> nn.Module:
    """A model made by ``factory`` for loading: as a skeleton where its constructor allows, else real.

    A constructor that reads values of weights it has not got (``.item()`` on an uninitialised tensor) cannot
    run on the meta device; it runs again on real, poisoned memory.
    """
    try:
        with skeleton(dtype):
            return factory()
    except (NotImplementedError, RuntimeError) as error:
        if "meta" not in str(error).lower():
            raise
    with poisoned(everything=True):
        return factory()
