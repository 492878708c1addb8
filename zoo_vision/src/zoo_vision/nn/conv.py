"""Convolution with batch norm and activation, the brick of convolutional networks."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.activation import Activation, activation


def divisible(value: float, divisor: int, *, least: int | None = None) -> int:
    """`value` rounded to a multiple of `divisor`, but not down by more than a tenth."""
    rounded = max(least or divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


class ConvNorm(nn.Module):
    """Convolution, batch norm, activation; by default padded so that stride alone changes the size.

    Args:
        act: None leaves the activation out. norm: without it the convolution may have a `bias`.
        padding: rows and columns of zeros on each side, by default as many as keep the size.
        same: pad as TensorFlow does, more on the right and at the bottom where the sides differ.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        dilation: int = 1,
        act: str | Activation | None = "relu",
        norm: bool = True,
        bias: bool = False,
        eps: float = 1e-5,
        momentum: float = 0.1,
        same: bool = False,
    ) -> None:
        super().__init__()
        self.same = same
        if padding is None:
            padding = 0 if same else (kernel - 1) // 2 * dilation
        self.convolution = nn.Conv2d(
            channels,
            out_channels,
            kernel,
            stride,
            padding=padding,
            groups=groups,
            dilation=dilation,
            bias=bias,
        )
        self.normalization = nn.BatchNorm2d(out_channels, eps=eps, momentum=momentum) if norm else None
        self.act = None if act is None else activation(act)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to (batch, out_channels, h / stride, w / stride)."""
        x = self.convolution(self._pad(x) if self.same else x)
        if self.normalization is not None:
            x = self.normalization(x)
        return x if self.act is None else self.act(x)

    def _pad(self, x: Tensor) -> Tensor:
        kernel, stride = int(self.convolution.kernel_size[0]), int(self.convolution.stride[0])
        dilation = int(self.convolution.dilation[0])
        sides: list[int] = []
        for size in (x.shape[-1], x.shape[-2]):
            needed = max(kernel - (size % stride or stride), 0)
            sides += [needed // 2 * dilation, (needed - needed // 2) * dilation]
        return F.pad(x, sides)


class InvertedResidual(nn.Module):
    """1x1 to more channels, 3x3 in each channel, 1x1 to fewer (https://arxiv.org/abs/1801.04381).

    Args:
        width: channels inside. The input is added where its shape is the output's.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        width: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        act: str,
        eps: float = 1e-5,
        momentum: float = 0.1,
        same: bool = False,
    ) -> None:
        super().__init__()
        self.residual = stride == 1 and channels == out_channels
        norm = {"eps": eps, "momentum": momentum}
        self.expand_1x1 = ConvNorm(channels, width, 1, act=act, same=same, **norm)
        self.conv_3x3 = ConvNorm(
            width, width, 3, stride=stride, groups=width, dilation=dilation, act=act, same=same, **norm
        )
        self.reduce_1x1 = ConvNorm(width, out_channels, 1, act=None, same=same, **norm)

    def forward(self, x: Tensor) -> Tensor:
        y = self.reduce_1x1(self.conv_3x3(self.expand_1x1(x)))
        return x + y if self.residual else y
