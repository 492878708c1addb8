"""Depth Anything: DINOv2, a neck that fuses four of its layers, and a map of depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import DepthEstimatorOutput
from zoo_vision.depth_anything.config import DepthAnythingConfig
from zoo_vision.nn.dense_prediction import FusionNeck, Reassemble


class DepthAnythingPreTrainedModel(PreTrainedModel):
    """What all Depth Anything classes share."""

    config_class = DepthAnythingConfig
    base_model_prefix = "depth_anything"
    main_input_name = "pixel_values"


class DepthAnythingNeck(FusionNeck):
    """Patches of four layers as maps of four sizes, fused."""

    hub_names: HubNames = {**FusionNeck.hub_names, "reassemble": "reassemble_stage.layers"}

    def __init__(self, config: DepthAnythingConfig) -> None:
        super().__init__(
            config.neck_hidden_sizes, config.fusion_hidden_size, batch_norm=False, bias=True, fit=True
        )
        pairs = zip(config.neck_hidden_sizes, config.reassemble_factors, strict=False)
        self.reassemble = nn.ModuleList(
            Reassemble(config.reassemble_hidden_size, channels, factor) for channels, factor in pairs
        )

    def forward(  # type: ignore[override]
        self, states: Sequence[Tensor], grid: tuple[int, int], **options: Any
    ) -> list[Tensor]:
        """States (batch, 1 + patches, size) to the fused maps, the finest last."""
        maps = [state[:, 1:].transpose(1, 2).unflatten(2, grid) for state in states]
        maps = [part(x) for part, x in zip(self.reassemble, maps, strict=True)]
        return self.fuse(self.project(maps), **options)


class DepthHead(nn.Module):
    """Three convolutions, the map enlarged to the image after the first."""

    def __init__(self, config: DepthAnythingConfig) -> None:
        super().__init__()
        width = config.fusion_hidden_size
        self.conv1 = nn.Conv2d(width, width // 2, 3, padding=1)
        self.conv2 = nn.Conv2d(width // 2, config.head_hidden_size, 3, padding=1)
        self.conv3 = nn.Conv2d(config.head_hidden_size, 1, 1)
        self.metric, self.max_depth = config.depth_estimation_type == "metric", config.max_depth or 1

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """(batch, width, h, w) to depth (batch, *size)."""
        x = F.interpolate(self.conv1(x), size=size, mode="bilinear", align_corners=True)
        x = self.conv3(F.relu(self.conv2(x)))
        return (torch.sigmoid(x) if self.metric else F.relu(x)).squeeze(1) * self.max_depth


class DepthAnythingForDepthEstimation(DepthAnythingPreTrainedModel):
    """Backbone, neck and head."""

    neck_class: type[DepthAnythingNeck] = DepthAnythingNeck

    def __init__(self, config: DepthAnythingConfig) -> None:
        super().__init__(config)
        self.backbone = build_backbone(config)
        self.neck = self.neck_class(config)
        self.head = DepthHead(config)
        self.post_init()

    def forward(self, pixel_values: Tensor, *, labels: Tensor | None = None) -> DepthEstimatorOutput:
        """(batch, channels, height, width) to depth (batch, height, width), relative or in metres."""
        return self.estimate(pixel_values, labels)

    def estimate(self, pixel_values: Tensor, labels: Tensor | None, **options: Any) -> DepthEstimatorOutput:
        """As `forward`; options go to the neck."""
        if labels is not None:
            raise NotImplementedError("no loss is defined for Depth Anything: leave labels out")
        outputs = self.backbone(pixel_values)
        patch = self.config.patch_size
        rows, columns = pixel_values.shape[-2] // patch, pixel_values.shape[-1] // patch
        fused = self.neck(outputs.feature_maps, (rows, columns), **options)
        depth = self.head(fused[self.config.head_in_index], (rows * patch, columns * patch))
        return DepthEstimatorOutput.carry(outputs, predicted_depth=depth)
