"""HiFi-GAN's generator: mel frames or latents to a waveform (https://arxiv.org/abs/2010.05646)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig

ConvFactory = Callable[..., nn.Module]


class ResidualBlock(nn.Module):
    """Pairs of convolutions, the first of each pair dilated, around which the input is added."""

    def __init__(
        self, channels: int, kernel: int, dilations: Sequence[int], slope: float, conv: ConvFactory
    ) -> None:
        super().__init__()
        self.slope = slope

        def same(dilation: int) -> nn.Module:
            return conv(channels, channels, kernel, dilation=dilation, padding=(kernel - 1) * dilation // 2)

        self.convs1 = nn.ModuleList(same(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(same(1) for _ in dilations)

    def forward(self, hidden: Tensor) -> Tensor:
        for first, second in zip(self.convs1, self.convs2, strict=True):
            inner = first(F.leaky_relu(hidden, self.slope))
            hidden = hidden + second(F.leaky_relu(inner, self.slope))
        return hidden


class HifiGan(nn.Module):
    """Transposed convolutions that lengthen, each followed by the mean of parallel residual blocks.

    Args:
        inputs: channels that come in. config: has the upsampling and residual sizes and `leaky_relu_slope`.
        condition: channels of a vector added after the first convolution (a speaker), if any.
        bias: of the last convolution. conv, transposed: make the layers between the first and the last.
    """

    def __init__(
        self,
        inputs: int,
        config: PretrainedConfig,
        *,
        condition: int = 0,
        bias: bool = True,
        conv: ConvFactory = nn.Conv1d,
        transposed: ConvFactory = nn.ConvTranspose1d,
    ) -> None:
        super().__init__()
        self.slope, self.paths = config.leaky_relu_slope, len(config.resblock_kernel_sizes)
        width = config.upsample_initial_channel
        self.conv_pre = nn.Conv1d(inputs, width, 7, padding=3)
        self.upsampler, self.resblocks = nn.ModuleList(), nn.ModuleList()
        self.cond = nn.Conv1d(condition, width, 1) if condition else None
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True):
            padding = (kernel - rate) // 2
            self.upsampler.append(transposed(width, width // 2, kernel, stride=rate, padding=padding))
            width //= 2
            for size, dilations in zip(
                config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True
            ):
                self.resblocks.append(ResidualBlock(width, size, dilations, self.slope, conv))
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3, bias=bias)

    def forward(self, hidden: Tensor, condition: Tensor | None = None) -> Tensor:
        """(batch, inputs, frames) and (batch, condition, 1) to (batch, 1, samples)."""
        hidden = self.conv_pre(hidden)
        if condition is not None and self.cond is not None:
            hidden = hidden + self.cond(condition)
        for i, lengthen in enumerate(self.upsampler):
            hidden = lengthen(F.leaky_relu(hidden, self.slope))
            blocks = self.resblocks[i * self.paths : (i + 1) * self.paths]
            hidden = sum(block(hidden) for block in blocks) / self.paths
        return self.conv_post(F.leaky_relu(hidden)).tanh()
