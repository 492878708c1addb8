"""Building a model without its weights: parameters on the meta device, buffers for real.

Buffers that a model computes in ``__init__`` (rotary tables, position ids) must have values, and code of
repositories does arithmetic on such tensors; parameters come from the program's memory later.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def skeleton(dtype: torch.dtype) -> Iterator[None]:
    """While open, every parameter that a module registers moves to the meta device.

    Only for a worker process: it changes ``nn.Module`` and the default dtype for all threads.
    """
    original = nn.Module.register_parameter
    moved: dict[int, tuple[weakref.ref[nn.Parameter], nn.Parameter]] = {}

    def register(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        original(module, name, parameter)
        if parameter is None or parameter.device.type == "meta":
            return
        known = moved.get(id(parameter))
        if known is not None and known[0]() is parameter:  # The same parameter under a second name.
            module._parameters[name] = known[1]
            return
        hollow = nn.Parameter(parameter.data.to("meta"), requires_grad=parameter.requires_grad)
        moved[id(parameter)] = (weakref.ref(parameter), hollow)
        module._parameters[name] = hollow

    before = torch.get_default_dtype()
    nn.Module.register_parameter = register  # type: ignore[method-assign,assignment]
    try:
        torch.set_default_dtype(dtype)
        yield
    finally:
        torch.set_default_dtype(before)
        nn.Module.register_parameter = original  # type: ignore[method-assign]
