"""Lists to numpy or torch, imported only when asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoo_core.errors import MissingDependency, TokenizerError

KINDS = ("pt", "np")


def tensor_kind(kind: Any) -> str | None:
    """``"pt"`` or ``"np"`` (also as an enum member or ``"torch"``/``"numpy"``); None stays None."""
    if kind is None:
        return None
    name = {"torch": "pt", "numpy": "np"}.get(str(getattr(kind, "value", kind)), getattr(kind, "value", kind))
    if name not in KINDS:
        raise TokenizerError(f'return_tensors={kind!r} is not supported; use "pt" (torch) or "np" (numpy).')
    return str(name)


def converter(kind: str) -> Callable[[Any], Any]:
    """The function that makes a tensor of ``kind`` from nested lists; tensors of that kind pass through."""
    if kind == "np":
        import numpy

        return numpy.asarray
    try:
        import torch
    except ImportError as error:
        raise MissingDependency('return_tensors="pt" needs torch: pip install torch') from error

    def to_torch(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value
        if isinstance(value, list) and value and hasattr(value[0], "__array__"):
            import numpy

            value = numpy.asarray(value)
        return torch.as_tensor(value)

    return to_torch


def as_list(value: Any) -> Any:
    """A tensor or array as nested lists; anything else as it is."""
    return value.tolist() if hasattr(value, "tolist") else value
