"""BiT: a ResNet with standardised weights and group norms, its activations before its convolutions."""

from __future__ import annotations

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention
from zoo_core.nn.activation import activation
from zoo_core.nn.drop_path import DropPath, drop_rates
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.bit.config import BitConfig
from zoo_vision.nn.conv import divisible


class BitPreTrainedModel(PreTrainedModel):
    """What all BiT classes share."""

    config_class = BitConfig
    base_model_prefix = "bit"
    main_input_name = "pixel_values"

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        else:
            super()._init_weights(module)


def pad_same(x: Tensor, kernel: int, stride: int = 1, dilation: int = 1) -> Tensor:
    """`x` padded with zeros so that stride alone changes its size, one more on the right and at the bottom
    where sides differ."""
    sides: list[int] = []
    for size in (x.shape[-1], x.shape[-2]):
        needed = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
        sides += [needed // 2, needed - needed // 2]
    return F.pad(x, sides)


class StandardizedConv(nn.Conv2d):
    """A convolution each of whose filters has mean 0 and variance 1 (https://arxiv.org/abs/1903.10520).

    Args:
        padding: "SAME" as in TensorFlow, "VALID" for none, None for half the kernel on all sides.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        padding: str | None = None,
    ) -> None:
        half = (stride - 1 + dilation * (kernel - 1)) // 2
        sides = half if padding is None else 0
        super().__init__(channels, out_channels, kernel, stride, sides, dilation, bias=False)
        self.same = padding == "SAME"

    def forward(self, x: Tensor) -> Tensor:
        if self.same:
            x = pad_same(x, int(self.kernel_size[0]), int(self.stride[0]), int(self.dilation[0]))
        filters = self.weight.reshape(1, self.out_channels, -1)
        filters = F.batch_norm(filters, None, None, training=True, eps=1e-8)
        weight = filters.reshape_as(self.weight)
        return F.conv2d(x, weight, None, self.stride, self.padding, self.dilation)


class GroupNormAct(nn.GroupNorm):
    """Group norm and the activation."""

    def __init__(self, config: BitConfig, channels: int, *, act: bool = True) -> None:
        super().__init__(config.num_groups, channels)
        self.act = activation(config.hidden_act) if act else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(super().forward(x))


class BitDownsample(nn.Module):
    """A 1x1 convolution, with a norm except where norms come first."""

    def __init__(self, config: BitConfig, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv = StandardizedConv(channels, width, 1, stride=stride, padding=config.global_padding)
        norm_first = config.layer_type == "preactivation"
        self.norm = nn.Identity() if norm_first else GroupNormAct(config, width, act=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class BitLayer(nn.Module):
    """A bottleneck of three convolutions, added to its input.

    "preactivation": norms and activations stand before the convolutions, and the shortcut begins after the
    first of them; "bottleneck": after the convolutions, and an activation after the sum.
    """

    downsample: BitDownsample | None

    def __init__(
        self,
        config: BitConfig,
        channels: int,
        width: int,
        *,
        stride: int,
        dilation: int,
        drop_path: float,
        first: bool,
    ) -> None:
        super().__init__()
        inner, padding = divisible(width * 0.25, 8), config.global_padding
        self.preactivation = config.layer_type == "preactivation"
        self.downsample = BitDownsample(config, channels, width, stride) if first else None
        self.conv1 = StandardizedConv(channels, inner, 1, padding=padding)
        self.conv2 = StandardizedConv(inner, inner, 3, stride=stride, dilation=dilation, padding=padding)
        self.conv3 = StandardizedConv(inner, width, 1, padding=padding)
        norm_first = self.preactivation
        self.norm1 = GroupNormAct(config, channels if norm_first else inner)
        self.norm2 = GroupNormAct(config, inner)
        self.norm3 = GroupNormAct(config, inner if norm_first else width, act=norm_first)
        self.act = activation(config.hidden_act)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, width, height / stride, width / stride)."""
        if self.preactivation:
            y = self.norm1(x)
            shortcut = x if self.downsample is None else self.downsample(y)
            y = self.conv3(self.norm3(self.conv2(self.norm2(self.conv1(y)))))
            return self.drop_path(y) + shortcut
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.norm3(self.conv3(self.norm2(self.conv2(self.norm1(self.conv1(x))))))
        return self.act(self.drop_path(y) + shortcut)


class BitStage(nn.Module):
    """Layers of one width, the first of which changes the size."""

    def __init__(self, config: BitConfig, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        channels, width = widths(config)[index : index + 2]
        stride, dilation = stride_and_dilation(config.output_stride, index)
        dilates = config.layer_type == "bottleneck"  # as released, the others leave it at the stride of 1
        self.layers = nn.Sequential(
            *(
                BitLayer(
                    config,
                    width if i else channels,
                    width,
                    stride=1 if i else stride,
                    dilation=(dilation if i else 1 + (dilation > 2)) if dilates else 1,
                    drop_path=next(rates),
                    first=i == 0,
                )
                for i in range(config.depths[index])
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def widths(config: BitConfig) -> list[int]:
    """Channels of the stem and of each stage."""
    return [config.embedding_size, *(divisible(n * config.width_factor, 8) for n in config.hidden_sizes)]


def stride_and_dilation(output_stride: int, index: int) -> tuple[int, int]:
    """Of a stage: where the map may shrink no more, the dilation doubles instead."""
    shrunk, stride, dilation = 4, 1, 1
    for _ in range(index):
        stride = 1 if shrunk >= output_stride else 2
        shrunk, dilation = shrunk * stride, dilation * (2 // stride)
    return stride, dilation


class BitStem(nn.Module):
    """A convolution and a maximum over the neighbours, both of stride 2."""

    def __init__(self, config: BitConfig) -> None:
        super().__init__()
        size, norm_first = config.embedding_size, config.layer_type == "preactivation"
        self.pads_pooling, self.channels = config.global_padding != "SAME", config.num_channels
        self.pads_same = config.embedding_dynamic_padding
        self.convolution = StandardizedConv(
            config.num_channels, size, 7, stride=2, padding=config.global_padding
        )
        self.norm = nn.Identity() if norm_first else GroupNormAct(config, size)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, embedding_size, height / 4, width / 4)."""
        if pixel_values.shape[1] != self.channels:
            raise ValueError(f"pixel_values have {pixel_values.shape[1]} channels, not {self.channels}")
        x = self.convolution(pixel_values)
        if self.pads_pooling:
            x = F.pad(x, (1, 1, 1, 1))
        x = self.norm(x)
        return F.max_pool2d(pad_same(x, 3, 2) if self.pads_same else x, 3, 2)


class BitModel(BitPreTrainedModel):
    """A stem and stages, with norms first a final norm; `pooler_output` is the mean over all pixels."""

    hub_names: HubNames = {"stem": "embedder", "stages": "encoder.stages"}

    def __init__(self, config: BitConfig) -> None:
        super().__init__(config)
        self.stem = BitStem(config)
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages = nn.ModuleList(BitStage(config, i, rates) for i in range(len(config.depths)))
        norm_first = config.layer_type == "preactivation"
        self.norm = GroupNormAct(config, widths(config)[-1]) if norm_first else nn.Identity()
        self.post_init()

    def forward(self, pixel_values: Tensor) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and pooled."""
        x = self.stem(pixel_values)
        record(HIDDEN_STATES, x)
        for stage in self.stages:
            x = stage(x)
            record(HIDDEN_STATES, x)
        x = self.norm(x)
        pooled = F.adaptive_avg_pool2d(x, 1)
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=pooled)


class BitForImageClassification(ForPooledImageClassification, BitPreTrainedModel):
    """BiT with a classifier on the pooled state."""

    base_class = BitModel
    head_names = {"classifier": "classifier.1"}

    def features_width(self, config: PretrainedConfig) -> int:
        return widths(config)[-1]


class BitBackbone(Backbone, BitPreTrainedModel):
    """BiT that returns the maps of some stages."""

    base_class = BitModel
    base_name = "bit"

    @property
    def num_features(self) -> list[int]:
        return widths(self.config)
