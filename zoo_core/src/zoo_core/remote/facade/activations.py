"""Activation modules by name, as code of repositories makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.activation import ACTIVATIONS


class Activation(nn.Module):
    """A function without parameters, as a module."""

    def __init__(self, name: str, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._name, self._function = name, function

    def forward(self, x: Tensor) -> Tensor:
        return self._function(x)

    def extra_repr(self) -> str:
        return self._name


class _Modules(Mapping[str, Any]):
    """Modules by the names that configs use; each look-up makes a new one."""

    def __getitem__(self, name: str) -> nn.Module:
        return Activation(name, ACTIVATIONS[name])

    def __iter__(self) -> Iterator[str]:
        return iter(ACTIVATIONS)

    def __len__(self) -> int:
        return len(ACTIVATIONS)


class _Classes(_Modules):
    """Functions that make the modules."""

    def __getitem__(self, name: str) -> Any:
        return lambda *args, **kwargs: Activation(name, ACTIVATIONS[name])


ACT2FN = _Modules()
ACT2CLS = _Classes()


def get_activation(activation_string: str) -> nn.Module:
    """The activation of that name. Raises ``KeyError`` with the known names."""
    if activation_string not in ACTIVATIONS:
        raise KeyError(f"unknown activation {activation_string!r}; known are {', '.join(ACTIVATIONS)}")
    return ACT2FN[activation_string]


def _of(name: str) -> type[nn.Module]:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        Activation.__init__(self, name, ACTIVATIONS[name])

    return type(name, (Activation,), {"__init__": __init__})


GELUActivation = _of("gelu")
NewGELUActivation = _of("gelu_new")
QuickGELUActivation = _of("quick_gelu")
FastGELUActivation = _of("gelu_fast")
PytorchGELUTanh = _of("gelu_pytorch_tanh")
ReLUSquaredActivation = _of("relu2")
MishActivation = _of("mish")
SiLUActivation = _of("silu")
gelu = F.gelu
gelu_new = ACTIVATIONS["gelu_new"]
silu = F.silu
