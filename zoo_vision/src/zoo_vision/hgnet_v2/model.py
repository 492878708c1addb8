"""HGNetV2: blocks that join what all of their convolutions have made."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.hgnet_v2.config import HGNetV2Config
from zoo_vision.nn.conv import ConvNorm


class HGNetV2PreTrainedModel(PreTrainedModel):
    """What all HGNetV2 classes share."""

    config_class = HGNetV2Config
    main_input_name = "pixel_values"


class LearnableAffine(nn.Module):
    """One scale and one shift for a whole map."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x + self.bias


class HGConv(ConvNorm):
    """Convolution, batch norm, activation and, where the config wants it, a learned scale and shift."""

    def __init__(
        self,
        config: HGNetV2Config,
        channels: int,
        width: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        act: str | None = "relu",
    ) -> None:
        super().__init__(channels, width, kernel, stride=stride, groups=groups, act=act)
        self.lab = LearnableAffine() if act and config.use_learnable_affine_block else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.lab(super().forward(x))
        return found


class LightConv(nn.Module):
    """A 1x1 convolution, and one within each channel."""

    def __init__(self, config: HGNetV2Config, channels: int, width: int, kernel: int) -> None:
        super().__init__()
        self.conv1 = HGConv(config, channels, width, 1, act=None)
        self.conv2 = HGConv(config, width, width, kernel, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x))


class HGStem(nn.Module):
    """Convolutions beside a pooling, to a quarter of the size."""

    def __init__(self, config: HGNetV2Config) -> None:
        super().__init__()
        channels, inner, width = config.stem_channels
        act = config.hidden_act  # of the stem alone
        self.stem1 = HGConv(config, channels, inner, 3, stride=2, act=act)
        self.stem2a = HGConv(config, inner, inner // 2, 2, act=act)
        self.stem2b = HGConv(config, inner // 2, inner, 2, act=act)
        self.stem3 = HGConv(config, 2 * inner, inner, 3, stride=2, act=act)
        self.stem4 = HGConv(config, inner, width, 1, act=act)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(self.stem1(x), (0, 1, 0, 1))
        fine = self.stem2b(F.pad(self.stem2a(x), (0, 1, 0, 1)))
        pooled = F.max_pool2d(x, 2, 1, ceil_mode=True)
        return self.stem4(self.stem3(torch.cat((pooled, fine), dim=1)))


class HGBlock(nn.Module):
    """Convolutions one after the other, whose results and input are joined and made narrower.

    Args:
        residual: the input is added.
    """

    def __init__(self, config: HGNetV2Config, stage: int, channels: int, *, residual: bool) -> None:
        super().__init__()
        self.residual = residual
        inner, out = config.stage_mid_channels[stage], config.stage_out_channels[stage]
        kind = LightConv if config.stage_light_block[stage] else HGConv
        count, kernel = config.stage_numb_of_layers[stage], config.stage_kernel_size[stage]
        self.layers = nn.ModuleList(
            kind(config, channels if i == 0 else inner, inner, kernel) for i in range(count)
        )
        joined = channels + count * inner
        self.aggregation = nn.Sequential(
            HGConv(config, joined, out // 2, 1), HGConv(config, out // 2, out, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        found = [x]
        for layer in self.layers:
            found.append(layer(found[-1]))
        y: Tensor = self.aggregation(torch.cat(found, dim=1))
        return x + y if self.residual else y


class HGStage(nn.Module):
    """Blocks of one size, after a convolution that halves it."""

    def __init__(self, config: HGNetV2Config, index: int) -> None:
        super().__init__()
        channels, out = config.stage_in_channels[index], config.stage_out_channels[index]
        self.downsample: nn.Module = nn.Identity()
        if config.stage_downsample[index]:
            self.downsample = HGConv(config, channels, channels, 3, stride=2, groups=channels, act=None)
        self.blocks = nn.Sequential(
            *(
                HGBlock(config, index, channels if i == 0 else out, residual=i > 0)
                for i in range(config.stage_num_blocks[index])
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.downsample(x))


class HGNetV2Model(HGNetV2PreTrainedModel):
    """A stem and stages; `pooler_output` (batch, width, 1, 1) is the mean over all pixels."""

    hub_names: HubNames = {"stem": "embedder", "stages": "encoder.stages"}

    def __init__(self, config: HGNetV2Config) -> None:
        super().__init__(config)
        self.stem = HGStem(config)
        self.stages = nn.ModuleList(HGStage(config, i) for i in range(len(config.depths)))
        self.post_init()

    def forward(self, pixel_values: Tensor) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and pooled."""
        if pixel_values.shape[1] != self.config.num_channels:
            raise ValueError(
                f"pixel_values have {pixel_values.shape[1]} channels, not {self.config.num_channels}"
            )
        x = self.stem(pixel_values)
        record(HIDDEN_STATES, x)
        for stage in self.stages:
            x = stage(x)
            record(HIDDEN_STATES, x)
        pooled = F.adaptive_avg_pool2d(x, 1)
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=pooled)


class HGNetV2ForImageClassification(ForPooledImageClassification, HGNetV2PreTrainedModel):
    """HGNetV2 with a classifier on the pooled state."""

    base_class = HGNetV2Model
    base_name = ""
    head_names = {"classifier": "fc"}

    def features_width(self, config: PretrainedConfig) -> int:
        return config.stage_out_channels[-1]


class HGNetV2Backbone(Backbone, HGNetV2PreTrainedModel):
    """HGNetV2 that returns the maps of some stages."""

    base_class = HGNetV2Model

    @property
    def num_features(self) -> list[int]:
        return [self.config.stem_channels[-1], *self.config.stage_out_channels]
