"""timm's networks that are known here, by name and with options under that library's names.

Each gives, of images, a state, those of its stages, and a state pooled.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from zoo_core.errors import ConfigError
from zoo_vision.timm_backbone.mobilenetv5 import MobileNetV5
from zoo_vision.timm_backbone.repvit import TimmRepVit
from zoo_vision.timm_backbone.resnet import TimmResNet, plain
from zoo_vision.timm_backbone.vit_pe import perception_encoder


class ResNetStates(TimmResNet):
    """A ResNet, whose last map is its state."""

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, list[Tensor]]:  # type: ignore[override]
        """(batch, channels, height, width) to the last map, and those of the stem and all stages."""
        maps = super().forward(pixel_values)
        return maps[-1], maps

    def pooled(self, state: Tensor) -> Tensor:
        """(batch, width) of the last map."""
        return state.mean((2, 3))


class RepVitFeatures(TimmRepVit):
    """A RepViT, whose state is a list of maps; nothing else is handed out."""

    def __init__(self, name: str, *, indices: Sequence[int], **options: Any) -> None:
        super().__init__(name, **options)
        self.indices = indices

    def forward(self, pixel_values: Tensor) -> tuple[list[Tensor], list[Tensor]]:  # type: ignore[override]
        """(batch, channels, height, width) to the maps of the chosen stages."""
        maps = super().forward(pixel_values)
        return [maps[i] for i in self.indices], []

    def pooled(self, state: list[Tensor]) -> None:
        """Several maps have no mean."""


def resnet(name: str, *, in_chans: int = 3, output_stride: int = 32) -> nn.Module:
    """A ResNet by its name."""
    return ResNetStates(name, channels=in_chans, output_stride=output_stride)


def repvit(
    name: str,
    *,
    in_chans: int = 3,
    features_only: bool = False,
    out_indices: Sequence[int] = range(4),
    embed_dim: Sequence[int] | None = None,
    depth: Sequence[int] | None = None,
) -> nn.Module:
    """A RepViT by its name."""
    if not features_only:
        raise ConfigError(f"{name} is known here for its features; set model_args.features_only to true")
    return RepVitFeatures(name, indices=out_indices, channels=in_chans, widths=embed_dim, depths=depth)


def mobilenetv5(name: str) -> nn.Module:
    """The published MobileNetV5, which has no options."""
    return MobileNetV5()


NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "mobilenetv5_300m_enc": mobilenetv5,
    "repvit": repvit,
    "vit_pe_": perception_encoder,
}
"""Networks that are no ResNets, by how their names begin."""


def network_of(name: str, options: Mapping[str, Any]) -> nn.Module:
    """The network of a name.

    Raises:
        ConfigError: a name or an option that is not known here.
    """
    make = next((make for start, make in NETWORKS.items() if plain(name).startswith(start)), resnet)
    known = [*inspect.signature(make).parameters][1:]
    if unknown := options.keys() - known:
        raise ConfigError(
            f"model_args of {name} may hold {', '.join(known) or 'nothing'} here, not {sorted(unknown)}"
        )
    return make(name, **options)
