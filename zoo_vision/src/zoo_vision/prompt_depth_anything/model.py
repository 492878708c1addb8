"""Prompt Depth Anything: Depth Anything that scales itself to a coarse map of metres, as of a LiDAR."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.outputs import DepthEstimatorOutput
from zoo_vision.depth_anything.model import DepthAnythingForDepthEstimation, DepthAnythingNeck
from zoo_vision.nn.dense_prediction import FusionLayer
from zoo_vision.prompt_depth_anything.config import PromptDepthAnythingConfig


class PromptLayer(nn.Module):
    """What a map of depth adds to a fused map."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution1 = nn.Conv2d(1, width, 3, padding=1)
        self.convolution2 = nn.Conv2d(width, width, 3, padding=1)
        self.convolution3 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, depth: Tensor, like: Tensor) -> Tensor:
        """(batch, 1, height, width) to (batch, width, h, w) of the size of `like`."""
        depth = F.interpolate(depth, size=like.shape[-2:], mode="bilinear", align_corners=False)
        return self.convolution3(F.relu(self.convolution2(F.relu(self.convolution1(depth)))))


class PromptFusionLayer(FusionLayer):
    """A fusion layer to which the map of depth adds."""

    def __init__(self, width: int, *, batch_norm: bool, bias: bool) -> None:
        super().__init__(width, batch_norm=batch_norm, bias=bias)
        self.prompt_depth_layer = PromptLayer(width)

    def forward(
        self, x: Tensor, own: Tensor | None, size: tuple[int, int] | None, *, prompt: Tensor | None = None
    ) -> Tensor:
        x = self.join(x, own)
        if prompt is not None:
            x = x + self.prompt_depth_layer(prompt, x)
        return self.enlarge(x, size)


class PromptDepthAnythingNeck(DepthAnythingNeck):
    """A neck that a map of depth prompts."""

    layer_class = PromptFusionLayer


class PromptDepthAnythingForDepthEstimation(DepthAnythingForDepthEstimation):
    """Backbone, neck and head."""

    config_class = PromptDepthAnythingConfig
    base_model_prefix = "prompt_depth_anything"
    neck_class = PromptDepthAnythingNeck

    def __init__(self, config: PromptDepthAnythingConfig) -> None:
        super().__init__(config)
        self.head.max_depth = 1  # the prompt says how far depth goes, whatever the config does

    def forward(
        self,
        pixel_values: Tensor,
        prompt_depth: Tensor | None = None,
        *,
        labels: Tensor | None = None,
    ) -> DepthEstimatorOutput:
        """(batch, channels, height, width) to depth (batch, height, width).

        Args:
            prompt_depth: (batch, 1, h, w) in metres, of any size; the answer is then in metres as well.
        """
        if prompt_depth is None:
            return self.estimate(pixel_values, labels)
        if prompt_depth.dim() != 4 or len(prompt_depth) != len(pixel_values):
            raise ValueError(
                f"prompt_depth is {tuple(prompt_depth.shape)}; it must be ({len(pixel_values)}, 1, h, w), "
                "a map for each image"
            )
        prompt_depth = prompt_depth.to(pixel_values)
        least = prompt_depth.amin((1, 2, 3), keepdim=True)
        extent = prompt_depth.amax((1, 2, 3), keepdim=True) - least
        if bool((extent == 0).any()):
            raise ValueError("prompt_depth is the same everywhere in an image; it must vary")
        found = self.estimate(pixel_values, labels, prompt=(prompt_depth - least) / extent)
        found.predicted_depth = found.predicted_depth * extent[:, 0] + least[:, 0]
        return found
