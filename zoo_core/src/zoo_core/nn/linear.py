"""Matrix products on the CPU that run at the speed of memory.

torch hands float32 products to one library (MKL) whose kernels reach half of what its other one (oneDNN)
does on many processors, and which multiplies a single row in one thread. `linear` chooses by shape, a
compiled decoding step too; under autograd, on other devices and dtypes it is torch's own.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: elements of a weight from which a choice of kernel outweighs the cost of choosing
LARGE = 1 << 17
#: rows up to which the weight is read as blocks, one thread each
FEW = 4
_BLOCKS = 8

_onednn = (
    getattr(torch.ops.mkldnn, "_linear_pointwise", None) if torch.backends.mkldnn.is_available() else None
)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """F.linear: x (..., in) times weight (out, in) transposed, plus bias (out,)."""
    if (
        weight.numel() < LARGE
        or torch.is_grad_enabled()
        or weight.dtype is not torch.float32
        or x.dtype is not torch.float32
        or weight.device.type != "cpu"
        or type(weight) not in (nn.Parameter, Tensor)
        or type(x) is not Tensor
        or not weight.is_contiguous()
    ):
        return F.linear(x, weight, bias)
    rows = x.numel() // x.shape[-1]
    if 0 < rows <= FEW:
        flat, odd = x.reshape(rows, weight.shape[1]), weight.shape[0] % _BLOCKS
        even = weight[:-odd] if odd else weight
        blocks = even.view(_BLOCKS, -1, weight.shape[1])
        product = torch.bmm(blocks, flat.t().expand(_BLOCKS, -1, -1))
        if rows > 1 or odd:
            product = product.view(-1, rows).t()
            if odd:  # vocabularies often are
                product = torch.cat((product, F.linear(flat, weight[-odd:])), dim=1)
            product = product.contiguous()
        product = product.view(*x.shape[:-1], weight.shape[0])
        return product if bias is None else product.add_(bias)
    if _onednn is None or rows == 0 or torch.compiler.is_compiling():
        return F.linear(x, weight, bias)
    return _onednn(x, weight, bias, "none", [], "")


class Linear(nn.Linear):
    """nn.Linear that multiplies with `linear`."""

    def forward(self, x: Tensor) -> Tensor:
        if self.in_features * self.out_features < LARGE:
            return F.linear(x, self.weight, self.bias)
        return linear(x, self.weight, self.bias)
