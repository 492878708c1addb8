"""Normalisation layers that torch does not have in the form checkpoints need."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NormFactory = Callable[[int], nn.Module]
"""Makes a norm for a width."""


class RMSNorm(nn.Module):
    """Root mean square normalisation of the last dimension (https://arxiv.org/abs/1910.07467).

    Args:
        size: width of the last dimension.
        eps: added to the mean square.
        unit_offset: the stored weight is the difference from one (Gemma).
        scale_in_float32: multiply by the weight before the cast back to the input's dtype (Gemma,
            OLMo 2) rather than after it (Llama); it shows in half precision only.
        affine: without it there is no weight.
    """

    weight: nn.Parameter | None

    def __init__(
        self,
        size: int,
        eps: float = 1e-6,
        *,
        unit_offset: bool = False,
        scale_in_float32: bool = False,
        affine: bool = True,
    ) -> None:
        super().__init__()
        self.eps = eps
        self.offset = 1.0 if unit_offset else 0.0
        self.scale_in_float32 = scale_in_float32
        if affine:
            self.weight = nn.Parameter(torch.empty(size))
            self.reset_parameters()
        else:
            self.register_parameter("weight", None)

    def reset_parameters(self) -> None:
        if self.weight is not None:
            nn.init.constant_(self.weight, 1.0 - self.offset)

    def forward(self, x: Tensor) -> Tensor:
        if x.dtype is torch.float32 and not self.offset:  # no cast whose place could show
            return F.rms_norm(x, x.shape[-1:], self.weight, self.eps)
        y = x.float()
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + self.eps)
        if self.weight is None:
            return y.to(x.dtype)
        if self.scale_in_float32:
            return (y * (self.weight.float() + self.offset)).to(x.dtype)
        return (self.weight + self.offset if self.offset else self.weight) * y.to(x.dtype)

    def extra_repr(self) -> str:
        return f"{0 if self.weight is None else tuple(self.weight.shape)}, eps={self.eps}"
