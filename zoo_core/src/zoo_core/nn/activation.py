"""Activation functions under the names that config.json uses."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.errors import ConfigError

Activation = Callable[[Tensor], Tensor]


def _quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


def _gelu_clipped(x: Tensor, *, low: float, high: float) -> Tensor:
    return F.gelu(x).clamp(low, high)


def _relu_squared(x: Tensor) -> Tensor:
    return F.relu(x).square()


def _laplace(x: Tensor) -> Tensor:
    """Mega's approximation of the squared ReLU (https://arxiv.org/abs/2209.10655)."""
    return 0.5 * (1.0 + torch.erf((x - 0.707107) / (0.282095 * math.sqrt(2.0))))


def _identity(x: Tensor) -> Tensor:
    return x


_gelu_tanh: Activation = partial(F.gelu, approximate="tanh")

ACTIVATIONS: dict[str, Activation] = {
    "gelu": F.gelu,
    "gelu_10": partial(_gelu_clipped, low=-10.0, high=10.0),
    "gelu_accurate": _gelu_tanh,
    "gelu_fast": _gelu_tanh,
    "gelu_new": _gelu_tanh,
    "gelu_python": F.gelu,
    "gelu_python_tanh": _gelu_tanh,
    "gelu_pytorch_tanh": _gelu_tanh,
    "laplace": _laplace,
    "leaky_relu": F.leaky_relu,
    "linear": _identity,
    "mish": F.mish,
    "quick_gelu": _quick_gelu,
    "relu": F.relu,
    "relu2": _relu_squared,
    "relu6": F.relu6,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "swish": F.silu,
    "tanh": torch.tanh,
}

LEARNED: dict[str, type[nn.Module]] = {"prelu": nn.PReLU}
"""Functions with parameters, of which each user has its own."""


def activation(name: str | Activation) -> Activation:
    """The function that a config names, as `gelu` or `silu`; a callable is returned as it is.

    Raises:
        ConfigError: the name is one of neither `ACTIVATIONS` nor `LEARNED`.
    """
    if callable(name):
        return name
    if name in LEARNED:
        return LEARNED[name]()
    try:
        return ACTIVATIONS[name]
    except KeyError:
        known = ", ".join(sorted(ACTIVATIONS | LEARNED))
        raise ConfigError(f"unknown activation {name!r}; known are {known}") from None


def softcap(x: Tensor, cap: float | None) -> Tensor:
    """cap * tanh(x / cap): scores squashed to (-cap, cap), as they are without a cap."""
    return x if cap is None else torch.tanh(x / cap) * cap
