"""MobileNetV5: blocks of MobileNetV4 (https://arxiv.org/abs/2404.10518), RMS norms, two scales fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.activation import activation
from zoo_vision.bit.model import pad_same
from zoo_vision.nn.norm import ChannelScale

_act = activation("gelu_pytorch_tanh")


@dataclass(frozen=True, slots=True)
class Fused:
    """A 3x3 convolution to `expand` times the channels, and 1x1 back to `width`."""

    width: int
    expand: int
    stride: int = 1


@dataclass(frozen=True, slots=True)
class Inverted:
    """A universal inverted bottleneck: convolutions of each channel before (`start`) and between (`mid`) two
    1x1; their kernels are 0 where they are left out."""

    width: int
    expand: int
    start: int = 0
    mid: int = 0
    stride: int = 1


@dataclass(frozen=True, slots=True)
class Attend:
    """Attention of `heads` queries of `head_dim` to one key and value, of a map shrunk by `kv_stride`."""

    width: int
    heads: int
    head_dim: int
    kv_stride: int = 1


Stage = Sequence[Fused | Inverted | Attend]

MOBILENETV5_300M: tuple[Stage, ...] = (
    [Fused(128, 4, 2), Fused(128, 4), Fused(128, 4)],
    [Inverted(256, 6, 3, 5, 2), *(Inverted(256, 4, kernel) for kernel in (5, 3, 5, 3))],
    [
        Inverted(640, 6, 5, 5, 2),
        *[Inverted(640, 4, 5)] * 7,
        Inverted(640, 1),
        *[Attend(640, 12, 64, 2), Inverted(640, 2)] * 14,
    ],
    [Inverted(1280, 6, 5, 5, 2), *[Attend(1280, 16, 96), Inverted(1280, 2)] * 19],
)
"""The stages of the published network."""


class ChannelRMSNorm(nn.Module):
    """Root mean square normalisation of the channels of (batch, channels, height, width)."""

    def __init__(self, channels: int, *, act: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        x = F.rms_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, 1e-6).permute(0, 3, 1, 2)
        return _act(x) if self.act else x


class SameConv(nn.Conv2d):
    """A convolution padded so that stride alone changes the size, as TensorFlow does."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad_same(x, int(self.kernel_size[0]), int(self.stride[0])))


def conv(channels: int, out: int, kernel: int = 1, *, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    """A convolution without bias."""
    return SameConv(channels, out, kernel, stride, groups=groups, bias=False)


class ConvNorm(nn.Module):
    """Convolution, norm, and maybe the activation."""

    def __init__(self, made: nn.Conv2d, *, act: bool = False) -> None:
        super().__init__()
        self.conv, self.bn = made, ChannelRMSNorm(made.out_channels, act=act)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))


class FusedBottleneck(nn.Module):
    """See `Fused`; the input is added where it has the output's shape."""

    def __init__(self, channels: int, plan: Fused) -> None:
        super().__init__()
        inner = channels * plan.expand
        self.residual = channels == plan.width and plan.stride == 1
        self.conv_exp, self.bn1 = (
            conv(channels, inner, 3, stride=plan.stride),
            ChannelRMSNorm(inner, act=True),
        )
        self.conv_pwl, self.bn2 = conv(inner, plan.width), ChannelRMSNorm(plan.width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv_pwl(self.bn1(self.conv_exp(x))))
        return x + y if self.residual else y


class InvertedBottleneck(nn.Module):
    """See `Inverted`; the input is added where it has the output's shape, unless `scaled` is False."""

    def __init__(self, channels: int, plan: Inverted, *, scaled: bool = True) -> None:
        super().__init__()
        inner = channels * plan.expand
        self.residual = scaled and channels == plan.width and plan.stride == 1
        self.dw_start = self.dw_mid = self.layer_scale = None
        if plan.start:
            self.dw_start = ConvNorm(conv(channels, channels, plan.start, groups=channels))
        self.pw_exp = ConvNorm(conv(channels, inner), act=True)
        if plan.mid:
            self.dw_mid = ConvNorm(conv(inner, inner, plan.mid, stride=plan.stride, groups=inner), act=True)
        self.pw_proj = ConvNorm(conv(inner, plan.width))
        if scaled:
            self.layer_scale = ChannelScale(plan.width, 1e-5)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for part in (self.dw_start, self.pw_exp, self.dw_mid, self.pw_proj, self.layer_scale):
            y = y if part is None else part(y)
        return x + y if self.residual else y


class Projected(nn.Module):
    """Keys or values: the map shrunk by a convolution of each channel where asked for, and 1x1."""

    def __init__(self, channels: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.down_conv = self.norm = None
        if stride > 1:
            self.down_conv = conv(channels, channels, 3, stride=stride, groups=channels)
            self.norm = ChannelRMSNorm(channels)
        self.proj = conv(channels, out)

    def forward(self, x: Tensor) -> Tensor:
        if self.down_conv is not None and self.norm is not None:
            x = self.norm(self.down_conv(x))
        return self.proj(x)


class MobileAttention(nn.Module):
    """x + scale * attention(norm(x)), all queries with one key and value (https://arxiv.org/abs/1911.02150)."""

    def __init__(self, channels: int, plan: Attend) -> None:
        super().__init__()
        self.heads, width = plan.heads, plan.heads * plan.head_dim
        self.norm = ChannelRMSNorm(channels)
        self.attn = nn.ModuleDict(
            {
                "query": Projected(channels, width),
                "key": Projected(channels, plan.head_dim, plan.kv_stride),
                "value": Projected(channels, plan.head_dim, plan.kv_stride),
                "output": Projected(width, plan.width),
            }
        )
        self.layer_scale = ChannelScale(plan.width, 1e-5)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        query, key, value = (self.attn[name](normed).flatten(2) for name in ("query", "key", "value"))
        query = query.unflatten(1, (self.heads, -1)).transpose(2, 3)
        key, value = (one.transpose(1, 2)[:, None] for one in (key, value))
        attended = F.scaled_dot_product_attention(query, key, value, enable_gqa=True)
        attended = attended.transpose(2, 3).flatten(1, 2).unflatten(2, x.shape[-2:])
        return x + self.layer_scale(self.attn["output"](attended))


class ScaleFusion(nn.Module):
    """The maps of two scales as one of `side` x `side` places."""

    def __init__(self, channels: int, width: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.ffn = InvertedBottleneck(channels, Inverted(width, 2), scaled=False)
        self.norm = ChannelRMSNorm(width)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        coarse = F.interpolate(coarse, fine.shape[-2:], mode="nearest")
        x = self.ffn(torch.cat((fine, coarse), dim=1))
        height, width = x.shape[-2:]
        if height % self.side or width % self.side:
            x = F.interpolate(x, (self.side, self.side), mode="bilinear")
        elif (height, width) != (self.side, self.side):
            step = (height // self.side, width // self.side)
            x = F.avg_pool2d(x, step, step)
        return self.norm(x)


class MobileNetV5(nn.Module):
    """A stem, stages and the fusion of the last two, under timm's names.

    Args:
        width: channels of the fused map. side: its edge.
    """

    hub_names = {"blocks.*.*.layer_scale.weight": "blocks.*.*.layer_scale.gamma"}

    def __init__(
        self, stages: Sequence[Stage] = MOBILENETV5_300M, *, stem: int = 64, width: int = 2048, side: int = 16
    ) -> None:
        super().__init__()
        self.conv_stem = ConvNorm(SameConv(3, stem, 3, 2), act=True)
        self.blocks = nn.ModuleList()
        widths = [stem]
        for stage in stages:
            blocks, channels = nn.Sequential(), widths[-1]
            for plan in stage:
                blocks.append(block_of(channels, plan))
                channels = plan.width
            self.blocks.append(blocks)
            widths.append(channels)
        self.msfa = ScaleFusion(widths[-2] + widths[-1], width, side)

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(batch, 3, height, width) to the fused map (batch, width, side, side), and those of all stages."""
        maps = [self.conv_stem(pixel_values)]
        for stage in self.blocks:
            maps.append(stage(maps[-1]))
        return self.msfa(*maps[-2:]), maps

    def pooled(self, state: Tensor) -> Tensor:
        """(batch, width) of the fused map."""
        return state.mean((2, 3))


def block_of(channels: int, plan: Fused | Inverted | Attend) -> nn.Module:
    """The block that a plan describes."""
    if isinstance(plan, Fused):
        return FusedBottleneck(channels, plan)
    return (
        InvertedBottleneck(channels, plan) if isinstance(plan, Inverted) else MobileAttention(channels, plan)
    )
