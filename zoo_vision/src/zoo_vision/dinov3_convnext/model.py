"""ConvNeXt as DINOv3 trains it: its mean stands before its pixels, as a class token would."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.convnext.model import ConvNextLayer, ConvNextModel, ConvNextPreTrainedModel, ConvNextStage
from zoo_vision.dinov3_convnext.config import DINOv3ConvNextConfig


class DINOv3ConvNextPreTrainedModel(ConvNextPreTrainedModel):
    """What all classes share."""

    config_class = DINOv3ConvNextConfig
    base_model_prefix = "dinov3_convnext"


class DINOv3ConvNextLayer(ConvNextLayer):
    """7x7 convolution in each channel, norm, and a feed-forward block in each pixel."""

    hub_names: HubNames = {
        "dwconv": "depthwise_conv",
        "norm": "layer_norm",
        "fc1": "pointwise_conv1",
        "fc2": "pointwise_conv2",
        "layer_scale.weight": "gamma",
    }


class DINOv3ConvNextStage(ConvNextStage):
    """Layers of one size."""

    layer_class = DINOv3ConvNextLayer


class DINOv3ConvNextModel(ConvNextModel, DINOv3ConvNextPreTrainedModel):
    """Patches, stages and a final norm; `pooler_output` is the normalised mean over all pixels."""

    hub_names: HubNames = {
        "embeddings.patch_embeddings": "stages.0.downsample_layers.0",
        "embeddings.norm": "stages.0.downsample_layers.1",
        "stages.*.downsampling_layer": "stages.*.downsample_layers",
        "norm": "layer_norm",
    }
    stage_class = DINOv3ConvNextStage

    def __init__(self, config: DINOv3ConvNextConfig) -> None:
        super().__init__(config)
        for module in self.modules():
            if isinstance(module, nn.LayerNorm):
                module.eps = config.layer_norm_eps

    def forward(self, pixel_values: Tensor) -> BaseModelOutputWithPoolingAndNoAttention:  # type: ignore[override]
        """(batch, channels, height, width) to (batch, 1 + pixels, width), the mean first."""
        record(HIDDEN_STATES, pixel_values)
        x = self.embeddings(pixel_values)
        for stage in self.stages:
            x = stage(x)
            record(HIDDEN_STATES, x)
        tokens = x.flatten(2).transpose(1, 2)
        assert isinstance(self.norm, nn.LayerNorm)
        hidden = self.norm(torch.cat((tokens.mean(1, keepdim=True), tokens), dim=1))
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=hidden, pooler_output=hidden[:, 0])
