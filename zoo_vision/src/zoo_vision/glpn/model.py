"""GLPN: SegFormer's encoder, and a decoder that weighs coarse against fine at each pixel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import DepthEstimatorOutput
from zoo_core.nn.recording import HIDDEN_STATES, wants
from zoo_vision.glpn.config import GLPNConfig
from zoo_vision.segformer.model import SegformerModel


class GLPNPreTrainedModel(PreTrainedModel):
    """What all GLPN classes share."""

    config_class = GLPNConfig
    base_model_prefix = "glpn"
    main_input_name = "pixel_values"


class GLPNModel(GLPNPreTrainedModel, SegformerModel):
    """SegFormer's stages."""

    config_class = GLPNConfig
    base_model_prefix = "glpn"


def _conv(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class SelectiveFusion(nn.Module):
    """The sum of a fine and a coarse map, each weighed at each pixel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolutional_layer1 = _conv(2 * width, width)
        self.convolutional_layer2 = _conv(width, width // 2)
        self.convolutional_layer3 = nn.Conv2d(width // 2, 2, 3, padding=1)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        x = self.convolutional_layer1(torch.cat((fine, coarse), dim=1))
        weights = self.convolutional_layer3(self.convolutional_layer2(x)).sigmoid()
        return fine * weights[:, :1] + coarse * weights[:, 1:]


class GLPNStage(nn.Module):
    """A map brought to the decoder's width, fused with the coarser ones, and doubled."""

    def __init__(self, channels: int, width: int, *, first: bool) -> None:
        super().__init__()
        self.convolution = nn.Identity() if channels == width else nn.Conv2d(channels, width, 1)
        self.fusion = None if first else SelectiveFusion(width)

    def forward(self, x: Tensor, coarse: Tensor | None) -> Tensor:
        x = self.convolution(x)
        if self.fusion is not None and coarse is not None:
            x = self.fusion(x, coarse)
        return _double(x)


class GLPNDecoder(nn.Module):
    """Stages from the coarsest map to the finest."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            GLPNStage(channels, config.decoder_hidden_size, first=i == 0)
            for i, channels in enumerate(reversed(config.hidden_sizes))
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The fused maps, of which the last has the image's size."""
        found: list[Tensor] = []
        for stage, x in zip(self.stages, reversed(maps), strict=True):
            found.append(stage(x, found[-1] if found else None))
        return [*found[:-1], _double(found[-1])]


def scale_invariant_loss(depth: Tensor, wanted: Tensor, *, variance: float = 0.5) -> Tensor:
    """Of logarithms (https://arxiv.org/abs/1406.2283); places where nothing is known, 0, do not count."""
    known = wanted > 0
    off = wanted[known].log() - depth[known].log()
    return (off.pow(2).mean() - variance * off.mean().pow(2)).sqrt()


class GLPNForDepthEstimation(Headed, GLPNPreTrainedModel):
    """GLPN with its decoder."""

    base_class = GLPNModel
    head_names = {"head": "head.head"}

    def build_head(self, config: PretrainedConfig) -> None:
        width = config.decoder_hidden_size
        self.decoder = GLPNDecoder(config)
        self.head = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 1, 3, padding=1)
        )

    def forward(self, pixel_values: Tensor, *, labels: Tensor | None = None) -> DepthEstimatorOutput:
        """Depth (batch, height, width), up to `max_depth`; `labels` likewise, 0 where it is not known."""
        outputs = self.model(pixel_values, output_hidden_states=True)
        maps = self.decoder(outputs.hidden_states)
        depth = self.head(maps[self.config.head_in_index])[:, 0].sigmoid() * self.config.max_depth
        loss = None if labels is None else scale_invariant_loss(depth, labels.to(depth))
        kept = outputs.hidden_states if wants(HIDDEN_STATES) else None
        return DepthEstimatorOutput(
            loss=loss, predicted_depth=depth, hidden_states=kept, attentions=outputs.attentions
        )
