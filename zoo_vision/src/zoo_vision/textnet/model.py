"""TextNet: a plain convolutional network whose layers train as several branches."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention, ModelOutput
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.nn.conv import ConvNorm
from zoo_vision.textnet.config import TextNetConfig


class TextNetPreTrainedModel(PreTrainedModel):
    """What all TextNet classes share."""

    config_class = TextNetConfig
    base_model_prefix = "textnet"
    main_input_name = "pixel_values"


class BranchedConv(nn.Module):
    """The sum of a convolution, of its column and its row alone, and where shapes allow of the input."""

    hub_names: HubNames = {
        **{f"{name}.0": f"{name}_conv" for name in ("main", "vertical", "horizontal")},
        **{f"{name}.1": f"{name}_batch_norm" for name in ("main", "vertical", "horizontal")},
        "identity": "rbr_identity",
    }

    def __init__(self, channels: int, width: int, kernel: list[int], stride: int, eps: float) -> None:
        super().__init__()

        def branch(rows: int, columns: int) -> nn.Module:
            padding = ((rows - 1) // 2, (columns - 1) // 2)
            conv = nn.Conv2d(channels, width, (rows, columns), stride, padding, bias=False)
            return nn.Sequential(conv, nn.BatchNorm2d(width, eps=eps))

        rows, columns = kernel
        self.main = branch(rows, columns)
        self.vertical = branch(rows, 1) if columns != 1 else None
        self.horizontal = branch(1, columns) if rows != 1 else None
        same = channels == width and stride == 1
        self.identity = nn.BatchNorm2d(width, eps=eps) if same else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.main(x)
        for branch in (self.vertical, self.horizontal, self.identity):
            if branch is not None:
                y = y + branch(x)
        return F.relu(y)


class TextNetModel(TextNetPreTrainedModel):
    """A stem and stages; `pooler_output` (batch, width, 2, 2) is the mean of each quarter of the last map."""

    hub_names: HubNames = {
        "stem.convolution": "stem.conv",
        "stem.normalization": "stem.batch_norm",
        "stages.*": "encoder.stages.*.stage",
    }

    def __init__(self, config: TextNetConfig) -> None:
        super().__init__(config)
        eps, widths = config.batch_norm_eps, config.hidden_sizes
        self.stem = ConvNorm(
            config.stem_num_channels,
            config.stem_out_channels,
            config.stem_kernel_size,
            stride=config.stem_stride,
            padding=config.stem_kernel_size // 2,
            act=config.stem_act_func,
            eps=eps,
        )
        self.stages = nn.ModuleList()
        for before, width, kernels, strides in zip(
            widths, widths[1:], config.conv_layer_kernel_sizes, config.conv_layer_strides, strict=False
        ):
            layers = (
                BranchedConv(before if i == 0 else width, width, kernel, stride, eps)
                for i, (kernel, stride) in enumerate(zip(kernels, strides, strict=True))
            )
            self.stages.append(nn.Sequential(*layers))
        self.post_init()

    def forward(self, pixel_values: Tensor) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and pooled."""
        x = self.stem(pixel_values)
        record(HIDDEN_STATES, x)
        for stage in self.stages:
            x = stage(x)
            record(HIDDEN_STATES, x)
        pooled = F.adaptive_avg_pool2d(x, 2)
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=pooled)


class TextNetForImageClassification(ForPooledImageClassification, TextNetPreTrainedModel):
    """TextNet with a classifier on the mean over all pixels."""

    base_class = TextNetModel
    head_names = {"classifier": "fc"}

    def features_width(self, config: PretrainedConfig) -> int:
        return config.hidden_sizes[-1]

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state.mean((2, 3))


class TextNetBackbone(Backbone, TextNetPreTrainedModel):
    """TextNet that returns the maps of some stages."""

    base_class = TextNetModel
    base_name = "textnet"

    @property
    def num_features(self) -> list[int]:
        return list(self.config.hidden_sizes)
