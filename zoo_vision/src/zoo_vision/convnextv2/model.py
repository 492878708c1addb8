"""ConvNeXt V2: ConvNeXt whose channels compete."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_vision.convnext.model import (
    ConvNextBackbone,
    ConvNextForImageClassification,
    ConvNextLayer,
    ConvNextModel,
    ConvNextPreTrainedModel,
    ConvNextStage,
)
from zoo_vision.convnextv2.config import ConvNextV2Config


class ConvNextV2PreTrainedModel(ConvNextPreTrainedModel):
    """What all ConvNeXt V2 classes share."""

    config_class = ConvNextV2Config
    base_model_prefix = "convnextv2"


class GlobalResponseNorm(nn.Module):
    """Strengthens the channels whose norm over the image stands out; (batch, height, width, channels)."""

    def __init__(self, width: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(1, 1, 1, width))
        self.bias = nn.Parameter(torch.zeros(1, 1, 1, width))

    def forward(self, x: Tensor) -> Tensor:
        norm = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        share = norm / (norm.mean(-1, keepdim=True) + self.eps)
        return x + self.weight * (x * share) + self.bias


class ConvNextV2Layer(ConvNextLayer):
    """A ConvNeXt layer with a norm inside of the feed-forward block."""

    def __init__(self, config: ConvNextV2Config, width: int, drop_path: float) -> None:
        super().__init__(config, width, drop_path)
        self.grn = GlobalResponseNorm(4 * width)

    def feed_forward(self, y: Tensor) -> Tensor:
        return self.fc2(self.grn(self.act(self.fc1(y))))


class ConvNextV2Stage(ConvNextStage):
    """Layers of one size."""

    layer_class = ConvNextV2Layer


class ConvNextV2Model(ConvNextModel, ConvNextV2PreTrainedModel):
    """Patches and stages; `pooler_output` is the normalised mean over all pixels."""

    stage_class = ConvNextV2Stage


class ConvNextV2ForImageClassification(ConvNextForImageClassification, ConvNextV2PreTrainedModel):
    """A classifier on the pooled state."""

    base_class = ConvNextV2Model


class ConvNextV2Backbone(ConvNextBackbone, ConvNextV2PreTrainedModel):
    """The normalised maps of some stages."""

    base_class = ConvNextV2Model
