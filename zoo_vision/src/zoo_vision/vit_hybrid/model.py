"""ViT hybrid: the patches of a ViT are the pixels of a convolutional backbone's last map."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor, nn

from zoo_core.modeling.backbone import build_backbone
from zoo_core.nn.patch import PatchEmbedding, pair
from zoo_vision.vit.model import (
    ViTEmbeddings,
    ViTForImageClassification,
    ViTModel,
    ViTPreTrainedModel,
)
from zoo_vision.vit_hybrid.config import ViTHybridConfig


class ViTHybridPreTrainedModel(ViTPreTrainedModel):
    """What all classes of the hybrid share."""

    config_class = ViTHybridConfig


class BackbonePatches(PatchEmbedding):
    """A linear map of patches of a backbone's last map."""

    def __init__(self, config: ViTHybridConfig) -> None:
        nn.Module.__init__(self)
        self.backbone = build_backbone(config)
        self.image_size, self.channels = pair(config.image_size), config.num_channels
        height, width = self.image_size
        shape = config.backbone_featmap_shape or [height // 16, width // 16]
        rows, columns = pair(config.patch_size)
        self.grid = (shape[-2] // rows, shape[-1] // columns)
        self.patch_size = (height // self.grid[0], width // self.grid[1])
        channels = cast(Any, self.backbone).channels[-1]
        self.projection = nn.Conv2d(channels, config.hidden_size, (rows, columns), (rows, columns))

    def forward(self, pixel_values: Tensor, *, any_size: bool = False) -> Tensor:
        self.check(pixel_values, any_size=any_size)
        return self.projection(self.backbone(pixel_values).feature_maps[-1]).flatten(2).transpose(1, 2)


class ViTHybridEmbeddings(ViTEmbeddings):
    """A class token and patches of the backbone's map."""

    def make_patches(self, config: ViTHybridConfig) -> PatchEmbedding:  # type: ignore[override]
        return BackbonePatches(config)


class ViTHybridModel(ViTModel, ViTHybridPreTrainedModel):
    """Embeddings, layers, a final norm, and unless switched off the pooler."""

    embeddings_class = ViTHybridEmbeddings


class ViTHybridForImageClassification(ViTForImageClassification, ViTHybridPreTrainedModel):
    """The hybrid with a classifier on the class token."""

    base_class = ViTHybridModel
