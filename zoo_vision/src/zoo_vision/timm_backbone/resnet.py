"""ResNets as timm builds them, with that library's names in files (https://arxiv.org/abs/1812.01187)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from zoo_core.checkpoint.names import HubNames
from zoo_core.errors import ConfigError
from zoo_vision.nn.conv import ConvNorm
from zoo_vision.resnet.model import ResidualConvs
from zoo_vision.rt_detr.backbone import RTDetrResidualConvs, deep_stem

DEPTHS = {
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet26": ("bottleneck", (2, 2, 2, 2)),
    "resnet34": ("basic", (3, 4, 6, 3)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
    "resnet101": ("bottleneck", (3, 4, 23, 3)),
    "resnet152": ("bottleneck", (3, 8, 36, 3)),
    "resnet200": ("bottleneck", (3, 24, 36, 3)),
}
"""Kind and number of the layers, by name; with a `d` at the end they have a deep stem and mean shortcuts."""

STRIDES = (8, 16, 32)

_WEIGHTS = {"resnet26": "bt_in1k", "resnet26d": "bt_in1k", "resnet101": "a1h_in1k", "resnet152": "a1h_in1k"}
"""The weights that a bare name means; otherwise `ra2_in1k` for those with `d`, and `a1_in1k` for others."""


def plain(name: str) -> str:
    """The name without the repository's owner and without that of the weights."""
    return name.rpartition("/")[2].partition(".")[0]


def published(name: str) -> str:
    """The repository that holds a network's weights: timm/resnet50.a1_in1k."""
    network, tag = plain(name), name.rpartition("/")[2].partition(".")[2]
    return (
        f"timm/{network}.{tag or _WEIGHTS.get(network, 'ra2_in1k' if network.endswith('d') else 'a1_in1k')}"
    )


class TimmResNet(nn.Module):
    """A stem and four stages.

    Args:
        name: a key of `DEPTHS`, with or without `d`; owner and weights (timm/resnet50.a1_in1k) say nothing.
        output_stride: the largest by which maps shrink, later stages dilate their convolutions instead.
        stages: how many of the four there are.

    Raises:
        ConfigError: another name, or an output_stride that the network cannot have.
    """

    stage_names = ("act1", "layer1", "layer2", "layer3", "layer4")

    def __init__(self, name: str, *, channels: int = 3, output_stride: int = 32, stages: int = 4) -> None:
        super().__init__()
        network = plain(name)
        deep = network.endswith("d")
        if network.removesuffix("d") not in DEPTHS:
            raise ConfigError(
                f"backbone {name!r} is not among timm's networks that are known here: "
                f"{', '.join(DEPTHS)}, each also with a 'd' at its end. Other networks: describe one in "
                "backbone_config, for example ResNetConfig(out_features=['stage4'])"
            )
        if output_stride not in STRIDES or (deep and output_stride != 32):
            allowed = "32" if deep else ", ".join(map(str, STRIDES))
            raise ConfigError(f"output_stride of {name} must be {allowed}, got {output_stride}")
        kind, depths = DEPTHS[network.removesuffix("d")]
        self.hub_names = _names(deep)
        self.widths = [64, *(64 * 2**i * (1 if kind == "basic" else 4) for i in range(4))]
        self.stem = deep_stem(channels, 64, "relu") if deep else ConvNorm(channels, 64, 7, stride=2)
        layer = RTDetrResidualConvs if deep else ResidualConvs
        self.stages = nn.ModuleList()
        shrunk, dilation = 4, 1
        for i, depth in enumerate(depths[:stages]):
            before, stride = dilation, 1 if i == 0 else 2
            if stride == 2 and shrunk >= output_stride:
                stride, dilation = 1, dilation * 2
            shrunk *= stride
            self.stages.append(
                nn.Sequential(
                    *(
                        layer(
                            self.widths[i] if j == 0 else self.widths[i + 1],
                            self.widths[i + 1],
                            kind=kind,
                            stride=stride if j == 0 else 1,
                            act="relu",
                            dilations=(before if j == 0 else dilation, dilation),
                        )
                        for j in range(depth)
                    )
                )
            )

    def forward(self, pixel_values: Tensor) -> list[Tensor]:
        """(batch, channels, height, width) to the maps after the stem, of half the size, and each stage."""
        maps = [self.stem(pixel_values)]
        x = F.max_pool2d(maps[0], 3, 2, padding=1)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


def _names(deep: bool) -> HubNames:
    """Names in files; a deep stem counts its activations, a mean shortcut its mean."""
    table: dict[str | tuple[str, ...], str] = {}
    stems = [("stem", "conv1", "bn1")]
    if deep:
        stems = [
            ("stem.0", "conv1.0", "conv1.1"),
            ("stem.1", "conv1.3", "conv1.4"),
            ("stem.2", "conv1.6", "bn1"),
        ]
    for part, conv, norm in stems:
        table |= {f"{part}.convolution": conv, f"{part}.normalization": norm}
    for stage in range(4):
        here, there = f"stages.{stage}.*", f"layer{stage + 1}.*"
        parts = [(f"{here}.layer.{i}", f"{there}.conv{i + 1}", f"{there}.bn{i + 1}") for i in range(3)]
        first, second = (f"{there}.downsample.{i + deep}" for i in range(2))
        parts += [(f"{here}.{shortcut}", first, second) for shortcut in ("shortcut", "shortcut.1")]
        for part, conv, norm in parts:
            table |= {f"{part}.convolution": conv, f"{part}.normalization": norm}
    return table
