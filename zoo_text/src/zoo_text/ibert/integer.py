"""Integer-only arithmetic of a transformer (I-BERT, https://arxiv.org/abs/2101.01321).

A quantised tensor is a float tensor whose values are whole multiples of a scale, and that scale; where
nothing is quantised the scale is None. Every whole number is computed as an integer unit would compute it,
in floats that hold it; in training, gradients pass through the rounding as if it were not there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Scaled(NamedTuple):
    """Values, and the scale of which they are whole multiples, (1,) or (channels,)."""

    values: Tensor
    scale: Tensor | None = None


class _PassThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, exact: Tensor, smooth: Tensor) -> Tensor:  # type: ignore[override]
        return exact.view_as(exact)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:  # type: ignore[override]
        return None, gradient


def straight_through(exact: Tensor, smooth: Tensor) -> Tensor:
    """`exact`, with the gradient of `smooth`."""
    return _PassThrough.apply(exact.detach(), smooth) if smooth.requires_grad else exact


def floor(x: Tensor) -> Tensor:
    return straight_through(x.floor(), x)


def scale_of(low: Tensor, high: Tensor, bits: int) -> Tensor:
    """The scale by which [low, high] fits signed integers of `bits`, symmetrically around zero."""
    bound = torch.maximum(low.abs(), high.abs()).clamp(min=1e-8)
    return bound / (2 ** (bits - 1) - 1)


def quantize(x: Tensor, scale: Tensor, bits: int) -> Tensor:
    """Integers nearest to x / scale, in [-n, n - 1] for n = 2 ** (bits - 1) - 1."""
    bound = 2 ** (bits - 1) - 1
    exact = (x * (1.0 / scale)).round().clamp(-bound, bound - 1)
    return straight_through(exact, x / scale)


def dyadic(x: Tensor, old: Tensor, new: Tensor) -> Tensor:
    """The integers x / old in units of `new`: times an integer of 31 bits, shifted to the right."""
    mantissa, exponent = torch.frexp(old.double() / new.double())
    multiplier = (mantissa * 2.0**31 + 0.5).floor()
    return ((x / old).round().double() * multiplier * torch.exp2(exponent.double() - 31)).round().to(x.dtype)


class QuantAct(nn.Module):
    """Activations in `bits`, over a range that training observes as a moving average."""

    x_min: Tensor
    x_max: Tensor
    act_scaling_factor: Tensor
    momentum = 0.95

    def __init__(self, bits: int, *, quant_mode: bool) -> None:
        super().__init__()
        self.bits, self.quant_mode = bits, quant_mode
        self.register_buffer("x_min", torch.full((1,), -1e-5))
        self.register_buffer("x_max", torch.full((1,), 1e-5))
        self.register_buffer("act_scaling_factor", torch.zeros(1))

    def forward(self, x: Tensor, scale: Tensor | None = None, residual: Scaled | None = None) -> Scaled:
        """x, of the given scale if it is quantised already, with the residual added.

        As in the reference, an x that is not quantised yet is taken alone: segments do not count where
        `inputs_embeds` are given to an integer model.
        """
        total = x if residual is None else x + residual.values
        if self.training:
            self.observe(total.detach())
        if not self.quant_mode:
            return Scaled(total)
        own = self.act_scaling_factor = scale_of(self.x_min, self.x_max, self.bits)
        if scale is None:
            return Scaled(quantize(x, own, self.bits) * own, own)
        whole = dyadic(x, scale, own)
        if residual is not None:
            assert residual.scale is not None
            whole = whole + dyadic(residual.values, residual.scale, own)
        bound = 2 ** (self.bits - 1) - 1
        return Scaled(straight_through(whole.clamp(-bound - 1, bound), total / own) * own, own)

    @torch.no_grad()
    def observe(self, x: Tensor) -> None:
        """Move the range towards that of x; the first range is taken as it is."""
        fresh = bool(self.x_min > -1.1e-5) and bool(self.x_max < 1.1e-5)
        keep, take = (1.0, 1.0) if fresh else (self.momentum, 1 - self.momentum)
        self.x_min = self.x_min * keep + x.min() * take
        self.x_max = self.x_max * keep + x.max() * take


class QuantEmbedding(nn.Embedding):
    """A table in integers of 8 bits with one scale."""

    weight_scaling_factor: Tensor
    weight_integer: Tensor

    def __init__(self, rows: int, size: int, *, padding_idx: int | None = None, quant_mode: bool) -> None:
        super().__init__(rows, size, padding_idx=padding_idx)
        self.quant_mode = quant_mode
        self.register_buffer("weight_scaling_factor", torch.zeros(1))
        self.register_buffer("weight_integer", torch.zeros(rows, size))

    def forward(self, ids: Tensor) -> Scaled:  # type: ignore[override]
        if not self.quant_mode:
            return Scaled(super().forward(ids))
        scale = scale_of(self.weight.detach().min()[None], self.weight.detach().max()[None], 8)
        whole = quantize(self.weight, scale, 8)
        self.weight_scaling_factor, self.weight_integer = scale, whole.detach()
        return Scaled(F.embedding(ids, whole, self.padding_idx) * scale, scale)


class QuantLinear(nn.Linear):
    """A product of integers: weights of 8 bits with a scale for each output, biases of 32."""

    weight_integer: Tensor
    fc_scaling_factor: Tensor
    bias_integer: Tensor

    def __init__(self, size: int, out: int, *, quant_mode: bool) -> None:
        super().__init__(size, out)
        self.quant_mode = quant_mode
        self.register_buffer("weight_integer", torch.zeros(out, size))
        self.register_buffer("fc_scaling_factor", torch.zeros(out))
        self.register_buffer("bias_integer", torch.zeros(out))

    def forward(self, x: Scaled) -> Scaled:  # type: ignore[override]
        if not self.quant_mode:
            return Scaled(super().forward(x.values))
        assert x.scale is not None
        lowest, highest = self.weight.detach().aminmax(dim=1)
        per_row = scale_of(lowest, highest, 8)
        weight, scale = quantize(self.weight, per_row[:, None], 8), per_row * x.scale
        bias = quantize(self.bias, scale, 32)
        self.fc_scaling_factor = per_row
        self.weight_integer, self.bias_integer = weight.detach(), bias.detach()
        return Scaled(F.linear(x.values / x.scale, weight, bias) * scale, scale)


class IntGELU(nn.Module):
    """GELU with the error function as a parabola, -0.2888 (min(|x|, 1.769) - 1.769)^2 + 1, signed."""

    def __init__(self, *, quant_mode: bool) -> None:
        super().__init__()
        self.quant_mode = quant_mode

    def forward(self, x: Scaled) -> Scaled:
        if not self.quant_mode:
            return Scaled(F.gelu(x.values))
        assert x.scale is not None
        whole, scale = x.values / x.scale, x.scale / 1.4142
        offset, constant = (-1.769 / scale).floor(), (1 / -0.2888 / scale**2).floor()
        erf = (torch.minimum(whole.abs(), -offset) + offset) ** 2 + constant
        erf_scale = scale**2 * -0.2888 * 2**14
        erf = floor(whole.sign() * erf / 2**14)
        product = whole * (erf + (1.0 / erf_scale).floor())
        scale = x.scale * erf_scale / 2
        return Scaled(product * scale, scale)


class IntSoftmax(nn.Module):
    """Softmax in 8 bits: exp(x) = 2^-q exp(r), and exp(r) as a parabola for -ln 2 < r <= 0."""

    shift = 30  # of the exponential: its binary places, and the most that it is shifted

    def __init__(self, *, quant_mode: bool) -> None:
        super().__init__()
        self.quant_mode = quant_mode
        self.act = QuantAct(16, quant_mode=quant_mode)

    def forward(self, x: Scaled) -> Scaled:
        if not self.quant_mode:
            return Scaled(x.values.softmax(-1))
        assert x.scale is not None
        whole = (x.values / x.scale).clamp(min=torch.finfo(x.values.dtype).min)  # all may be hidden
        exponential, scale = self.exponential(whole - whole.amax(-1, keepdim=True), x.scale)
        # the range is that of the integers themselves: the scale of checkpoints is one of integers
        values, scale = self.act(exponential, scale)
        values = values / scale
        factor = floor(2**32 / values.sum(-1, keepdim=True))
        return Scaled(floor(values * factor / 2**24) * 2**-8, values.new_full((1,), 2**-8))

    def exponential(self, x: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Integers and the scale of exp for integers x <= 0."""
        a, b, c = 0.35815147, 0.96963238 / 0.35815147, 1.0 / 0.35815147
        period = (-0.6931 / scale).floor()
        x = torch.maximum(x, self.shift * period)
        halvings = floor(x / period)
        rest = x - period * halvings
        parabola = rest * (rest + (b / scale).floor()) + (c / scale**2).floor()
        shifted = floor(parabola * 2 ** (self.shift - halvings)).clamp(min=0)
        return shifted, scale**2 * a / 2**self.shift


class IntLayerNorm(nn.LayerNorm):
    """Layer norm of integers; `shift` keeps the sum of squares within 32 bits, and grows in training."""

    shift: Tensor

    def __init__(self, size: int, *, eps: float, quant_mode: bool) -> None:
        super().__init__(size, eps=eps)
        self.quant_mode = quant_mode
        self.register_buffer("shift", torch.zeros(1))
        self.activation = QuantAct(32, quant_mode=quant_mode)  # stands in checkpoints, takes no part

    def forward(self, x: Scaled) -> Scaled:  # type: ignore[override]
        if not self.quant_mode:
            centred = x.values - x.values.mean(-1, keepdim=True)
            deviation = (self.eps + centred.square().mean(-1, keepdim=True)).sqrt()
            return Scaled(centred / deviation * self.weight + self.bias)
        assert x.scale is not None
        whole = x.values / x.scale
        mean = whole.mean(-1, keepdim=True)
        centred = whole - straight_through(mean.round(), mean)
        squares = self.squares(centred)
        if self.training and bool(squares.max() >= 2**32):
            with torch.no_grad():
                needed = (centred.square().sum(-1) / 2**32).sqrt().log2().ceil().max()
                self.shift = torch.maximum(self.shift, needed)
            squares = self.squares(centred)
        factor = floor(2**31 / (floor(squares.sqrt()) * 2**self.shift))
        width = centred.new_tensor(float(centred.shape[-1])).sqrt()
        scale = width / 2**30
        bias = floor(self.bias / self.weight / scale)
        normed = floor(centred * factor / 2) + bias
        scale = scale * self.weight
        return Scaled(normed * scale, scale)

    def squares(self, x: Tensor) -> Tensor:
        """The sum of the squares of shifted integers, (..., 1)."""
        return floor(x / 2**self.shift).square().sum(-1, keepdim=True)
