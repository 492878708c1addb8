"""VAN: a transformer whose attention is a product with what large, split convolutions see."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention
from zoo_core.nn.activation import activation
from zoo_core.nn.drop_path import DropPath, drop_rates
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.nn.conv import ConvNorm
from zoo_vision.nn.norm import ChannelNorm, channel_scale
from zoo_vision.van.config import VanConfig


class VanPreTrainedModel(PreTrainedModel):
    """What all VAN classes share."""

    config_class = VanConfig
    base_model_prefix = "van"
    main_input_name = "pixel_values"


class LargeKernelAttention(nn.Module):
    """x + proj(u * see(u)) where u = act(proj(x)) and `see` is a 21x21 convolution in three steps."""

    hub_names: HubNames = {
        "proj_in": "pre_projection.conv",
        "local": "attention_layer.attention.depth_wise",
        "dilated": "attention_layer.attention.depth_wise_dilated",
        "pointwise": "attention_layer.attention.point_wise",
        "proj_out": "post_projection",
    }

    def __init__(self, width: int, act: str) -> None:
        super().__init__()
        self.proj_in, self.proj_out = nn.Conv2d(width, width, 1), nn.Conv2d(width, width, 1)
        self.local = nn.Conv2d(width, width, 5, padding=2, groups=width)
        self.dilated = nn.Conv2d(width, width, 7, padding=9, dilation=3, groups=width)
        self.pointwise = nn.Conv2d(width, width, 1)
        self.act = activation(act)

    def forward(self, x: Tensor) -> Tensor:
        u = self.act(self.proj_in(x))
        return x + self.proj_out(u * self.pointwise(self.dilated(self.local(u))))


class VanMLP(nn.Module):
    """A feed-forward block in each pixel with a 3x3 convolution in each channel inside."""

    hub_names: HubNames = {"fc1": "in_dense", "dwconv": "depth_wise", "fc2": "out_dense"}

    def __init__(self, width: int, inner: int, act: str, dropout: float) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)
        self.dwconv = nn.Conv2d(inner, inner, 3, padding=1, groups=inner)
        self.act, self.dropout = activation(act), nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.fc2(self.dropout(self.act(self.dwconv(self.fc1(x))))))


class VanLayer(nn.Module):
    """Attention by large kernels and a feed-forward block, both on normalised maps."""

    hub_names: HubNames = {
        "input_norm": "pre_normomalization",  # as it is spelt in files
        "layer_scale1": "attention_scaling",
        "post_attention_norm": "post_normalization",
        "layer_scale2": "mlp_scaling",
    }

    def __init__(self, config: VanConfig, width: int, inner: int, drop_path: float) -> None:
        super().__init__()
        self.input_norm, self.post_attention_norm = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.attention = LargeKernelAttention(width, config.hidden_act)
        self.mlp = VanMLP(width, inner, config.hidden_act, config.dropout_rate)
        scale = config.layer_scale_init_value
        self.layer_scale1, self.layer_scale2 = channel_scale(width, scale), channel_scale(width, scale)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.layer_scale1(self.attention(self.input_norm(x))))
        return x + self.drop_path(self.layer_scale2(self.mlp(self.post_attention_norm(x))))


class VanStage(nn.Module):
    """A convolution that makes the map smaller, layers of one width, and a norm."""

    hub_names: HubNames = {"downsampling": "embeddings", "norm": "normalization"}

    def __init__(self, config: VanConfig, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        width = config.hidden_sizes[index]
        before = config.hidden_sizes[index - 1] if index else config.num_channels
        self.downsampling = ConvNorm(
            before, width, config.patch_sizes[index], stride=config.strides[index], act=None, bias=True
        )
        inner = width * config.mlp_ratios[index]
        self.layers = nn.Sequential(
            *(VanLayer(config, width, inner, next(rates)) for _ in range(config.depths[index]))
        )
        self.norm = ChannelNorm(width, config.layer_norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.layers(self.downsampling(x)))


class VanModel(VanPreTrainedModel):
    """Stages; `pooler_output` is the mean over all pixels. As released, it does not pass the stored norm."""

    hub_names: HubNames = {"stages": "encoder.stages", "norm": "layernorm"}

    def __init__(self, config: VanConfig) -> None:
        super().__init__(config)
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages = nn.ModuleList(VanStage(config, i, rates) for i in range(len(config.depths)))
        self.norm = nn.LayerNorm(config.hidden_sizes[-1], eps=config.layer_norm_eps)
        self.post_init()

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and pooled (batch, width)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x = pixel_values
        for stage in self.stages:
            x = stage(x)
            record(HIDDEN_STATES, x)
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=x.mean((-2, -1)))


class VanForImageClassification(ForPooledImageClassification, VanPreTrainedModel):
    """VAN with a classifier on the pooled state."""

    base_class = VanModel

    def features_width(self, config: PretrainedConfig) -> int:
        return config.hidden_sizes[-1]
