"""ECAPA-TDNN (https://arxiv.org/abs/2005.07143): what a mel spectrogram tells of its speaker."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TimeDelay(nn.Module):
    """A convolution over mirrored ends, and ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            inputs, outputs, kernel, dilation=dilation, padding="same", padding_mode="reflect"
        )

    def forward(self, hidden: Tensor) -> Tensor:
        return F.relu(self.conv(hidden))


class Res2Net(nn.Module):
    """Groups of channels, each after the first read with what came of the one before."""

    def __init__(self, width: int, scale: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.scale = scale
        self.blocks = nn.ModuleList(
            TimeDelay(width // scale, width // scale, kernel, dilation) for _ in range(scale - 1)
        )

    def forward(self, hidden: Tensor) -> Tensor:
        first, *others = hidden.chunk(self.scale, dim=1)
        found = [first]
        for number, (block, group) in enumerate(zip(self.blocks, others, strict=True)):
            found.append(block(group + found[-1] if number else group))
        return torch.cat(found, dim=1)


class SqueezeExcitation(nn.Module):
    """Each channel times a factor that follows from the means of all."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(width, inner, 1), nn.Conv1d(inner, width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        mean = hidden.mean(dim=2, keepdim=True)
        return hidden * self.conv2(F.relu(self.conv1(mean))).sigmoid()


class SpeakerBlock(nn.Module):
    """tdnn1, groups, tdnn2 and the factors, around which the input is added."""

    hub_names = {"groups": "res2net_block", "factors": "se_block"}

    def __init__(self, config: Any, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.tdnn1, self.tdnn2 = TimeDelay(width, width, 1), TimeDelay(width, width, 1)
        self.groups = Res2Net(width, config.enc_res2net_scale, kernel, dilation)
        self.factors = SqueezeExcitation(width, config.enc_se_channels)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.factors(self.tdnn2(self.groups(self.tdnn1(hidden))))


class AttentivePooling(nn.Module):
    """Weighted means and deviations over time, the weights of each channel apart."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.tdnn = TimeDelay(3 * width, inner, 1)
        self.conv = nn.Conv1d(inner, width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, width, frames) to (batch, 2 x width, 1)."""
        uniform = torch.full_like(hidden[:, :1], 1 / hidden.shape[2])
        seen = torch.cat((hidden, *(x.expand_as(hidden) for x in self.statistics(hidden, uniform))), dim=1)
        weights = self.conv(self.tdnn(seen).tanh()).softmax(dim=2)
        return torch.cat(self.statistics(hidden, weights), dim=1)

    @staticmethod
    def statistics(hidden: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (batch, width, 1)."""
        mean = (weights * hidden).sum(2, keepdim=True)
        variance = (weights * (hidden - mean).square()).sum(2, keepdim=True)
        return mean, variance.clamp(min=1e-12).sqrt()


class SpeakerEncoder(nn.Module):
    """Mel frames (batch, frames, mels) to vectors (batch, enc_dim)."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        widths, sizes = config.enc_channels, zip(config.enc_kernel_sizes, config.enc_dilations, strict=True)
        kernels = list(sizes)
        self.blocks = nn.ModuleList([TimeDelay(config.mel_dim, widths[0], *kernels[0])])
        for width, kernel in list(zip(widths, kernels, strict=True))[1:-1]:
            self.blocks.append(SpeakerBlock(config, width, *kernel))
        self.mfa = TimeDelay(widths[-1], widths[-1], *kernels[-1])
        self.asp = AttentivePooling(widths[-1], config.enc_attention_channels)
        self.fc = nn.Conv1d(2 * widths[-1], config.enc_dim, 1)

    def forward(self, mels: Tensor) -> Tensor:
        hidden, found = mels.transpose(1, 2), []
        for block in self.blocks:
            hidden = block(hidden)
            found.append(hidden)
        return self.fc(self.asp(self.mfa(torch.cat(found[1:], dim=1)))).squeeze(-1)
