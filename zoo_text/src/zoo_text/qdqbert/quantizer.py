"""Fake quantisation to 8 bits (https://arxiv.org/abs/2004.09602, section 3).

Numbers are rounded to 255 evenly spaced values between -amax and amax and stay floats, so that a model
computes what integers would give and can be trained on. Its files are those of pytorch-quantization.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_text.ibert.integer import straight_through

_LEVELS = 127


class TensorQuantizer(nn.Module):
    """Rounds a tensor within the range `amax`, one for all of it or one for each row of a weight.

    A range of zeros is one that no calibration has set: each tensor's own range is taken. While
    `calibrating`, tensors pass unchanged and widen the range.

    Args:
        rows: how many rows a weight has; None for activations.
    """

    hub_names = {"amax": "_amax"}
    amax: Tensor

    def __init__(self, rows: int | None = None) -> None:
        super().__init__()
        self.register_buffer("amax", torch.zeros(() if rows is None else (rows, 1)))
        self.calibrating = False

    def forward(self, x: Tensor) -> Tensor:
        if self.calibrating:
            self.amax = torch.maximum(self.amax, self.range_of(x).to(self.amax.dtype))
            return x
        amax = torch.where(self.amax > 0, self.amax, self.range_of(x))
        scale = _LEVELS / amax.clamp(min=2.0**-24)
        rounded = (x * scale).round().clamp(-_LEVELS, _LEVELS) / scale
        return straight_through(rounded, torch.minimum(torch.maximum(x, -amax), amax))

    def range_of(self, x: Tensor) -> Tensor:
        """The largest magnitude in x, or in each of its rows."""
        x = x.detach().abs()
        return x.amax() if self.amax.dim() == 0 else x.amax(1, keepdim=True)

    @property
    def calibrated(self) -> bool:
        """Whether a range was set."""
        return bool(self.amax.any())


class QuantLinear(nn.Linear):
    """A product of a rounded input and a rounded weight."""

    hub_names = {"input_quantizer": "_input_quantizer", "weight_quantizer": "_weight_quantizer"}

    def __init__(self, size: int, out: int, *, bias: bool = True) -> None:
        super().__init__(size, out, bias=bias)
        self.input_quantizer, self.weight_quantizer = TensorQuantizer(), TensorQuantizer(out)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(self.input_quantizer(x), self.weight_quantizer(self.weight), self.bias)
