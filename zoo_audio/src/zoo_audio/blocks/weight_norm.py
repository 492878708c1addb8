"""Convolutions whose weight is a direction times a length (https://arxiv.org/abs/1602.07868)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_NAMES = {
    "magnitude": "parametrizations.weight.original0",
    "direction": "parametrizations.weight.original1",
}


class WeightNorm(nn.Module):
    """`magnitude` and `direction` in place of a weight of `shape`; the length is taken over all but `dim`."""

    hub_names = _NAMES

    def __init__(self, shape: tuple[int, ...], *, dim: int = 0, bias: int | None = None) -> None:
        super().__init__()
        self.dim = dim
        lengths = [size if axis == dim else 1 for axis, size in enumerate(shape)]
        self.magnitude = nn.Parameter(torch.empty(lengths))
        self.direction = nn.Parameter(torch.empty(shape))
        self.bias = None if bias is None else nn.Parameter(torch.empty(bias))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        with torch.no_grad():
            nn.init.kaiming_normal_(self.direction)
            axes = [axis for axis in range(self.direction.dim()) if axis != self.dim]
            self.magnitude.copy_(self.direction.norm(dim=axes, keepdim=True))
            if self.bias is not None:
                nn.init.zeros_(self.bias)

    @property
    def weight(self) -> Tensor:
        """The weight in force."""
        return torch._weight_norm(self.direction, self.magnitude, self.dim)


class NormedConv1d(WeightNorm):
    """A convolution with a normalised weight; arguments as of `nn.Conv1d`."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, dim: int = 0, bias: bool = True, **options: Any
    ) -> None:
        shape = (outputs, inputs // options.get("groups", 1), kernel)
        super().__init__(shape, dim=dim, bias=outputs if bias else None)
        self.options = options

    def forward(self, x: Tensor) -> Tensor:
        return F.conv1d(x, self.weight, self.bias, **self.options)


class NormedConvTranspose1d(WeightNorm):
    """A transposed convolution with a normalised weight; arguments as of `nn.ConvTranspose1d`."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool = True, **options: Any) -> None:
        super().__init__((inputs, outputs, kernel), bias=outputs if bias else None)
        self.options = options

    def forward(self, x: Tensor) -> Tensor:
        return F.conv_transpose1d(x, self.weight, self.bias, **self.options)
