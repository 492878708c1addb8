"""RepViT as timm builds it, with that library's names in files (https://arxiv.org/abs/2307.09283)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.errors import ConfigError
from zoo_vision.nn.conv import ConvNorm, divisible
from zoo_vision.regnet.model import SqueezeExcitation
from zoo_vision.timm_backbone.resnet import plain

NETWORKS = {
    "repvit_m0_9": ((48, 96, 192, 384), (2, 2, 14, 2)),
    "repvit_m1_0": ((56, 112, 224, 448), (2, 2, 14, 2)),
    "repvit_m1_1": ((64, 128, 256, 512), (2, 2, 12, 2)),
    "repvit_m1_5": ((64, 128, 256, 512), (4, 4, 24, 4)),
    "repvit_m2_3": ((80, 160, 320, 640), (6, 6, 34, 2)),
    "repvit_m1": ((48, 96, 192, 384), (2, 2, 14, 2)),
    "repvit_m2": ((64, 128, 256, 512), (2, 2, 12, 2)),
    "repvit_m3": ((64, 128, 256, 512), (4, 4, 18, 2)),
}
"""Widths and depths of the stages, by name; the last three are of the paper's first version."""
FIRST_VERSION = ("repvit_m1", "repvit_m2", "repvit_m3")


class RepVitConv(ConvNorm):
    """Convolution and norm."""

    hub_names: HubNames = {"convolution": "c", "normalization": "bn"}

    def __init__(
        self, channels: int, width: int, kernel: int = 1, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(channels, width, kernel, stride=stride, groups=groups, act=None)


class TokenMixer(nn.Module):
    """3x3 and 1x1 in each channel, and the input, added.

    Args:
        first: the 1x1 has a norm of its own, otherwise the sum has one.
    """

    def __init__(self, width: int, *, first: bool) -> None:
        super().__init__()
        self.conv = RepVitConv(width, width, 3, groups=width)
        one = RepVitConv(width, width, groups=width) if first else nn.Conv2d(width, width, 1, groups=width)
        self.conv1 = one
        self.bn = nn.Identity() if first else nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x) + self.conv1(x) + x)


class ChannelMixer(nn.Module):
    """A feed-forward block in each pixel, added to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = RepVitConv(width, 2 * width), RepVitConv(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(nn.functional.gelu(self.conv1(x)))


class RepVitLayer(nn.Sequential):
    """Mixes pixels, weighs channels where `squeezes`, mixes channels."""

    hub_names: HubNames = {
        "0": "token_mixer",
        "1.attention.0": "se.fc1",
        "1.attention.2": "se.fc2",
        "2": "channel_mixer",
    }

    def __init__(self, width: int, *, squeezes: bool, first: bool) -> None:
        inner = divisible(width / 4, 8)
        weigh = SqueezeExcitation(width, inner) if squeezes else nn.Identity()
        super().__init__(TokenMixer(width, first=first), weigh, ChannelMixer(width))


class RepVitDownsample(nn.Sequential):
    """A layer, half the size, another width, and a feed-forward block."""

    hub_names: HubNames = {
        "0": "pre_block",
        "1": "spatial_downsample",
        "2": "channel_downsample",
        "3": "ffn",
    }

    def __init__(self, channels: int, width: int, *, first: bool) -> None:
        super().__init__(
            RepVitLayer(channels, squeezes=False, first=first),
            RepVitConv(channels, channels, 3, stride=2, groups=channels),
            RepVitConv(channels, width),
            ChannelMixer(width),
        )


class TimmRepVit(nn.Module):
    """A stem and four stages, as timm names them where it hands out features only.

    Args:
        name: a key of `NETWORKS`; owner and weights (timm/repvit_m1.dist_in1k) say nothing.
        widths, depths: other ones of the stages.

    Raises:
        ConfigError: another name.
    """

    hub_names: HubNames = {
        "stem.0": "stem.conv1",
        "stem.2": "stem.conv2",
        **{f"stages.{i}": f"stages_{i}" for i in range(4)},
    }

    def __init__(
        self,
        name: str,
        *,
        channels: int = 3,
        widths: Sequence[int] | None = None,
        depths: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        network = plain(name)
        if network not in NETWORKS:
            raise ConfigError(f"{name!r} is not among timm's RepViTs: {', '.join(NETWORKS)}")
        first = network in FIRST_VERSION
        self.widths, counts = list(widths or NETWORKS[network][0]), depths or NETWORKS[network][1]
        width = self.widths[0]
        self.stem = nn.Sequential(
            RepVitConv(channels, width // 2, 3, stride=2),
            nn.GELU(),
            RepVitConv(width // 2, width, 3, stride=2),
        )
        self.stages = nn.ModuleList()
        for i, (width, count) in enumerate(zip(self.widths, counts, strict=True)):
            layers = [RepVitLayer(width, squeezes=j % 2 == 0, first=first) for j in range(count)]
            stage = nn.ModuleDict({"blocks": nn.Sequential(*layers)})
            if i:
                stage["downsample"] = RepVitDownsample(self.widths[i - 1], width, first=first)
            self.stages.append(stage)

    def forward(self, pixel_values: Tensor) -> list[Tensor]:
        """(batch, channels, height, width) to the maps of the stages, the first of a quarter of the size."""
        x, maps = self.stem(pixel_values), []
        for stage in self.stages:
            if "downsample" in stage:
                x = stage["downsample"](x)
            x = stage["blocks"](x)
            maps.append(x)
        return maps
