"""HGNet V2: blocks that join the outputs of all their convolutions."""

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
    """What all HGNet V2 classes share."""

    config_class = HGNetV2Config
    base_model_prefix = "hgnetv2"
    main_input_name = "pixel_values"


class LearnableAffine(nn.Module):
    """One factor and one offset."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x + self.bias


class HGConv(ConvNorm):
    """Convolution, batch norm, and with an activation what may follow it."""

    def __init__(
        self,
        config: HGNetV2Config,
        channels: int,
        out_channels: int,
        kernel: int = 1,
        *,
        stride: int = 1,
        groups: int = 1,
        act: str | None = "relu",
    ) -> None:
        super().__init__(channels, out_channels, kernel, stride=stride, groups=groups, act=act)
        affine = act is not None and config.use_learnable_affine_block
        self.lab = LearnableAffine() if affine else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.lab(super().forward(x))


class HGLightConv(nn.Module):
    """A 1x1 convolution, and one in each channel."""

    def __init__(self, config: HGNetV2Config, channels: int, out_channels: int, kernel: int) -> None:
        super().__init__()
        self.conv1 = HGConv(config, channels, out_channels, act=None)
        self.conv2 = HGConv(config, out_channels, out_channels, kernel, groups=out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x))


class HGStem(nn.Module):
    """Two paths, of convolutions and of pooling, to a quarter of the size."""

    def __init__(self, config: HGNetV2Config) -> None:
        super().__init__()
        channels, inner, width = config.stem_channels
        act = config.hidden_act  # as released, the stages have ReLU whatever it is
        self.stem1 = HGConv(config, channels, inner, 3, stride=2, act=act)
        self.stem2a = HGConv(config, inner, inner // 2, 2, act=act)
        self.stem2b = HGConv(config, inner // 2, inner, 2, act=act)
        self.stem3 = HGConv(config, inner * 2, inner, 3, stride=2, act=act)
        self.stem4 = HGConv(config, inner, width, act=act)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, width, height / 4, width / 4)."""
        x = F.pad(self.stem1(pixel_values), (0, 1, 0, 1))
        convolved = self.stem2b(F.pad(self.stem2a(x), (0, 1, 0, 1)))
        pooled = F.max_pool2d(x, 2, 1, ceil_mode=True)
        return self.stem4(self.stem3(torch.cat((pooled, convolved), dim=1)))


class HGBlock(nn.Module):
    """Layers one after the other, the input and all outputs of which are joined and aggregated."""

    def __init__(self, config: HGNetV2Config, stage: int, channels: int, *, residual: bool) -> None:
        super().__init__()
        inner, width = config.stage_mid_channels[stage], config.stage_out_channels[stage]
        kernel, count = config.stage_kernel_size[stage], config.stage_numb_of_layers[stage]
        layer = HGLightConv if config.stage_light_block[stage] else HGConv
        self.residual = residual
        self.layers = nn.ModuleList(
            layer(config, inner if i else channels, inner, kernel) for i in range(count)
        )
        joined = channels + count * inner
        self.aggregation = nn.Sequential(
            HGConv(config, joined, width // 2), HGConv(config, width // 2, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        outputs = [x]
        for layer in self.layers:
            outputs.append(layer(outputs[-1]))
        y = self.aggregation(torch.cat(outputs, dim=1))
        return x + y if self.residual else y


class HGStage(nn.Module):
    """Blocks of one size, where wanted after a convolution that halves the previous one's."""

    def __init__(self, config: HGNetV2Config, index: int) -> None:
        super().__init__()
        channels, width = config.stage_in_channels[index], config.stage_out_channels[index]
        self.downsample = (
            HGConv(config, channels, channels, 3, stride=2, groups=channels, act=None)
            if config.stage_downsample[index]
            else nn.Identity()
        )
        self.blocks = nn.Sequential(
            *(
                HGBlock(config, index, width if i else channels, residual=i > 0)
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
        self.stages = nn.ModuleList(HGStage(config, i) for i in range(len(config.stage_in_channels)))
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
    """HGNet V2 with a classifier on the pooled state."""

    base_class = HGNetV2Model
    base_name = ""
    head_names = {"classifier": "fc"}

    def features_width(self, config: PretrainedConfig) -> int:
        return config.hidden_sizes[-1]


class HGNetV2Backbone(Backbone, HGNetV2PreTrainedModel):
    """HGNet V2 that returns the maps of some stages."""

    base_class = HGNetV2Model

    @property
    def num_features(self) -> list[int]:
        return [self.config.embedding_size, *self.config.hidden_sizes]
