"""PoolFormer: a transformer whose cells mix by taking the mean of their neighbours."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithNoAttention, ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.drop_path import DropPath, drop_rates
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.nn.norm import channel_scale
from zoo_vision.poolformer.config import PoolFormerConfig


class PoolFormerPreTrainedModel(PreTrainedModel):
    """What all PoolFormer classes share."""

    config_class = PoolFormerConfig
    base_model_prefix = "poolformer"
    main_input_name = "pixel_values"


class PoolFormerLayer(nn.Module):
    """Pooling less the input, and a feed-forward block in each pixel, both on normalised states."""

    hub_names: HubNames = {
        "fc1": "output.conv1",
        "fc2": "output.conv2",
        "layer_scale1.weight": "layer_scale_1",
        "layer_scale2.weight": "layer_scale_2",
    }

    def __init__(self, config: PoolFormerConfig, width: int, drop_path: float) -> None:
        super().__init__()
        inner, size = int(width * config.mlp_ratio), config.pool_size
        self.before_norm, self.after_norm = nn.GroupNorm(1, width), nn.GroupNorm(1, width)
        self.pooling = nn.AvgPool2d(size, 1, padding=size // 2, count_include_pad=False)
        self.fc1, self.fc2 = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)
        self.act, self.drop_path = activation(config.hidden_act), DropPath(drop_path)
        scale = config.layer_scale_init_value if config.use_layer_scale else None
        self.layer_scale1, self.layer_scale2 = channel_scale(width, scale), channel_scale(width, scale)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.before_norm(x)
        x = x + self.drop_path(self.layer_scale1(self.pooling(normed) - normed))
        y = self.drop_path(self.fc2(self.drop_path(self.act(self.fc1(self.after_norm(x))))))
        return x + self.drop_path(self.layer_scale2(y))


class PoolFormerStage(nn.Module):
    """Layers of one width, after a convolution that makes the map smaller."""

    def __init__(self, config: PoolFormerConfig, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        width = config.hidden_sizes[index]
        self.projection = nn.Conv2d(
            config.hidden_sizes[index - 1] if index else config.num_channels,
            width,
            config.patch_sizes[index],
            config.strides[index],
            config.padding[index],
        )
        self.layers = nn.Sequential(
            *(PoolFormerLayer(config, width, next(rates)) for _ in range(config.depths[index]))
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(self.projection(x))


class PoolFormerModel(PoolFormerPreTrainedModel):
    """Stages, the states after each of which are recorded."""

    hub_names: HubNames = {
        "stages.*.projection": "encoder.patch_embeddings.*.projection",
        "stages.*.layers": "encoder.block.*",
    }

    def __init__(self, config: PoolFormerConfig) -> None:
        super().__init__(config)
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages = nn.ModuleList(
            PoolFormerStage(config, i, rates) for i in range(config.num_encoder_blocks)
        )
        self.post_init()

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x = pixel_values
        for stage in self.stages:
            x = stage(x)
            record(HIDDEN_STATES, x)
        return BaseModelOutputWithNoAttention(last_hidden_state=x)

    def get_input_embeddings(self) -> nn.Module:
        return self.stages[0].get_submodule("projection")


class PoolFormerForImageClassification(ForPooledImageClassification, PoolFormerPreTrainedModel):
    """PoolFormer with a norm and a classifier on the mean over all pixels."""

    base_class = PoolFormerModel

    def build_head(self, config: PretrainedConfig) -> None:
        self.norm = nn.GroupNorm(1, config.hidden_sizes[-1])
        super().build_head(config)

    def features_width(self, config: PretrainedConfig) -> int:
        return config.hidden_sizes[-1]

    def features(self, outputs: ModelOutput) -> Tensor:
        return self.norm(outputs.last_hidden_state).mean((2, 3))
