"""ConvNeXt: a convolutional network laid out as a transformer is."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention
from zoo_core.nn.activation import activation
from zoo_core.nn.drop_path import DropPath, LayerScale, drop_rates
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.convnext.config import ConvNextConfig
from zoo_vision.nn.norm import ChannelNorm


class ConvNextPreTrainedModel(PreTrainedModel):
    """What all ConvNeXt classes share."""

    config_class = ConvNextConfig
    base_model_prefix = "convnext"
    main_input_name = "pixel_values"


class ConvNextEmbeddings(nn.Module):
    """Non-overlapping patches, normalised."""

    def __init__(self, config: ConvNextConfig) -> None:
        super().__init__()
        width, patch = config.hidden_sizes[0], config.patch_size
        self.patch_embeddings = nn.Conv2d(config.num_channels, width, patch, patch)
        self.norm = ChannelNorm(width)

    def forward(self, pixel_values: Tensor) -> Tensor:
        weight = self.patch_embeddings.weight
        if pixel_values.shape[1] != weight.shape[1]:
            raise ValueError(f"pixel_values have {pixel_values.shape[1]} channels, not {weight.shape[1]}")
        return self.norm(self.patch_embeddings(pixel_values.to(weight.dtype)))


class ConvNextLayer(nn.Module):
    """7x7 convolution in each channel, norm, and a feed-forward block in each pixel."""

    hub_names: HubNames = {
        "norm": "layernorm",
        "fc1": "pwconv1",
        "fc2": "pwconv2",
        "layer_scale.weight": "layer_scale_parameter",
    }

    def __init__(self, config: ConvNextConfig, width: int, drop_path: float) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.act = activation(config.hidden_act)
        scale = config.layer_scale_init_value
        self.layer_scale = LayerScale(width, scale) if scale > 0 else nn.Identity()
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.layer_scale(self.feed_forward(y))
        return x + self.drop_path(y.permute(0, 3, 1, 2))

    def feed_forward(self, y: Tensor) -> Tensor:
        """(batch, height, width, channels) to the same shape."""
        return self.fc2(self.act(self.fc1(y)))


class ConvNextStage(nn.Module):
    """Layers of one size, after a convolution that halves the previous one's."""

    layer_class: type[ConvNextLayer] = ConvNextLayer

    def __init__(self, config: ConvNextConfig, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        width = config.hidden_sizes[index]
        before = config.hidden_sizes[max(index - 1, 0)]
        self.downsampling_layer = nn.Sequential()
        if index > 0:
            self.downsampling_layer = nn.Sequential(ChannelNorm(before), nn.Conv2d(before, width, 2, 2))
        self.layers = nn.ModuleList(
            self.layer_class(config, width, next(rates)) for _ in range(config.depths[index])
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.downsampling_layer(x)
        for layer in self.layers:
            x = layer(x)
        return x


class ConvNextModel(ConvNextPreTrainedModel):
    """Patches and stages; `pooler_output` is the normalised mean over all pixels."""

    hub_names: HubNames = {
        "embeddings.norm": "embeddings.layernorm",
        "stages": "encoder.stages",
        "norm": "layernorm",
    }
    stage_class: type[ConvNextStage] = ConvNextStage
    norm: nn.Module | None

    def __init__(self, config: ConvNextConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = ConvNextEmbeddings(config)
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages = nn.ModuleList(self.stage_class(config, i, rates) for i in range(config.num_stages))
        width, eps = config.hidden_sizes[-1], config.layer_norm_eps
        self.norm = nn.LayerNorm(width, eps=eps) if add_pooling_layer else None
        self.post_init()

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and pooled (batch, width)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x = self.embeddings(pixel_values)
        record(HIDDEN_STATES, x)
        for stage in self.stages:
            x = stage(x)
            record(HIDDEN_STATES, x)
        pooled = None if self.norm is None else self.norm(x.mean((-2, -1)))
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=pooled)


class ConvNextForImageClassification(ForPooledImageClassification, ConvNextPreTrainedModel):
    """ConvNeXt with a classifier on the pooled state."""

    base_class = ConvNextModel

    def features_width(self, config: PretrainedConfig) -> int:
        return config.hidden_sizes[-1]


class ConvNextBackbone(Backbone, ConvNextPreTrainedModel):
    """ConvNeXt that returns the normalised maps of some stages."""

    base_class = ConvNextModel
    base_options = {"add_pooling_layer": False}

    @property
    def num_features(self) -> list[int]:
        return [self.config.hidden_sizes[0], *self.config.hidden_sizes]

    def build_head(self, config: PretrainedConfig) -> None:
        pairs = zip(self.out_features, self.channels, strict=True)
        self.hidden_states_norms = nn.ModuleDict({name: ChannelNorm(width) for name, width in pairs})

    def feature_map(self, state: Tensor, stage: str, pixel_values: Tensor) -> Tensor:
        return self.hidden_states_norms[stage](state)
