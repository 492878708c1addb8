"""EfficientFormer: layers that pool, and at the end, where the map is small, layers that attend."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForDistilledImageClassification, ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.drop_path import DropPath, ScaledPreNormLayer, drop_rates
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers
from zoo_vision.efficientformer.config import EfficientFormerConfig
from zoo_vision.nn.compact_attention import CompactAttention
from zoo_vision.nn.conv import ConvNorm
from zoo_vision.nn.norm import channel_scale


class EfficientFormerPreTrainedModel(PreTrainedModel):
    """What all EfficientFormer classes share."""

    config_class = EfficientFormerConfig
    base_model_prefix = "efficientformer"
    main_input_name = "pixel_values"
    ignored_names = ("*attention_bias_idxs",)


class TwoConvs(nn.Module):
    """Two convolutions with norms: the stem, and a pixel's feed-forward block."""

    hub_names: HubNames = {
        f"{name}.{part}": hub
        for name, conv, norm in (("first", "convolution1", "before"), ("second", "convolution2", "after"))
        for part, hub in (("convolution", conv), ("normalization", f"batchnorm_{norm}"))
    }

    def __init__(self, first: ConvNorm, second: ConvNorm, dropout: float = 0.0) -> None:
        super().__init__()
        self.first, self.second, self.dropout = first, second, nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.second(self.dropout(self.first(x))))


def conv_norm(config: EfficientFormerConfig) -> partial[ConvNorm]:
    """Makes convolutions with the network's norm."""
    return partial(ConvNorm, bias=True, eps=config.batch_norm_eps)


class PoolLayer(nn.Module):
    """Pooling less the input, and a feed-forward block in each pixel."""

    hub_names: HubNames = {f"layer_scale{i}.weight": f"layer_scale_{i}" for i in (1, 2)}

    def __init__(self, config: EfficientFormerConfig, width: int, drop_path: float) -> None:
        super().__init__()
        size, inner, conv = config.pool_size, int(width * config.mlp_expansion_ratio), conv_norm(config)
        self.pooling = nn.AvgPool2d(size, 1, padding=size // 2, count_include_pad=False)
        self.mlp = TwoConvs(
            conv(width, inner, 1, act=config.hidden_act),
            conv(inner, width, 1, act=None),
            config.hidden_dropout_prob,
        )
        scale = config.layer_scale_init_value if config.use_layer_scale else None
        self.layer_scale1, self.layer_scale2 = channel_scale(width, scale), channel_scale(width, scale)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.layer_scale1(self.pooling(x) - x))
        return x + self.drop_path(self.layer_scale2(self.mlp(x)))


class PoolStage(nn.Module):
    """Layers of one width that pool."""

    hub_names: HubNames = {"layers": "meta4D_layers.blocks"}

    def __init__(self, config: EfficientFormerConfig, width: int, rates: list[float]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(PoolLayer(config, width, rate) for rate in rates))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class AttentionLayer(ScaledPreNormLayer):
    """Attention by content and distance, and a feed-forward block."""

    hub_names: HubNames = {
        "self_attn": "token_mixer",
        "self_attn.o_proj": "token_mixer.projection",
        "self_attn.distance_bias": "token_mixer",
        "input_layernorm": "layernorm1",
        "post_attention_layernorm": "layernorm2",
        "mlp.fc1": "mlp.linear_in",
        "mlp.fc2": "mlp.linear_out",
        "layer_scale1.weight": "layer_scale_1",
        "layer_scale2.weight": "layer_scale_2",
    }

    def __init__(self, config: EfficientFormerConfig, drop_path: float) -> None:
        width, dropout = config.dim, config.hidden_dropout_prob
        inner = int(width * config.mlp_expansion_ratio)
        super().__init__(
            width,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=CompactAttention(
                (width, width),
                config.num_attention_heads,
                key_dim=config.key_dim,
                value_dim=int(config.attention_ratio * config.key_dim),
                grid=(config.resolution, config.resolution),
            ),
            mlp=MLP(width, inner, config.hidden_act, activation_dropout=dropout, dropout=dropout),
            layer_scale=config.layer_scale_init_value if config.use_layer_scale else None,
            drop_path=drop_path,
        )


class LastStage(PoolStage):
    """Layers that pool, then layers that attend."""

    hub_names: HubNames = {**PoolStage.hub_names, "attention_layers": "meta3D_layers.blocks"}

    def __init__(self, config: EfficientFormerConfig, rates: list[float]) -> None:
        pooling = config.depths[-1] - config.num_meta3d_blocks
        super().__init__(config, config.hidden_sizes[-1], rates[:pooling])
        self.attention_layers = nn.ModuleList(AttentionLayer(config, rate) for rate in rates[pooling:])

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width, h, w) to (batch, cells, width)."""
        hidden = self.layers(x).flatten(2).transpose(1, 2)
        context = AttentionContext(hidden)
        for layer in self.attention_layers:
            hidden = layer(hidden, context)
        return hidden


class Shrink(ConvNorm):
    """A convolution that makes the map smaller."""

    hub_names: HubNames = {"convolution": "projection", "normalization": "norm"}


class EfficientFormerModel(EfficientFormerPreTrainedModel):
    """A stem, stages with convolutions between them, and a final norm."""

    hub_names: HubNames = {
        "stem": "patch_embed",
        "layers": "encoder.intermediate_stages",
        "last_stage": "encoder.last_stage",
        "norm": "layernorm",
    }

    def __init__(self, config: EfficientFormerConfig) -> None:
        super().__init__(config)
        first, conv = config.hidden_sizes[0], conv_norm(config)
        self.stem = TwoConvs(
            conv(config.num_channels, first // 2, stride=2), conv(first // 2, first, stride=2)
        )
        rates = drop_rates(config.drop_path_rate, sum(config.depths))
        self.layers = nn.ModuleList(self._stages(config, rates))
        self.last_stage = LastStage(config, rates[-config.depths[-1] :])
        self.norm = nn.LayerNorm(config.hidden_sizes[-1], eps=config.layer_norm_eps)
        self.post_init()

    @staticmethod
    def _stages(config: EfficientFormerConfig, rates: list[float]) -> Iterator[nn.Module]:
        """All stages but the last, each with what makes its map smaller where there is such."""
        widths, conv, done = config.hidden_sizes, conv_norm(config), 0
        for index, depth in enumerate(config.depths[:-1]):
            yield PoolStage(config, widths[index], rates[done : done + depth])
            done += depth
            if config.downsamples[index] or widths[index] != widths[index + 1]:
                yield Shrink(
                    widths[index],
                    widths[index + 1],
                    config.downsample_patch_size,
                    stride=config.downsample_stride,
                    padding=config.downsample_pad,
                    act=None,
                    **conv.keywords,
                )

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutput:
        """(batch, channels, height, width) to states (batch, cells, width)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        hidden = run_layers([*self.layers, self.last_stage], self.stem(pixel_values))
        return BaseModelOutput(last_hidden_state=self.norm(hidden))


class EfficientFormerForImageClassification(ForImageClassification, EfficientFormerPreTrainedModel):
    """EfficientFormer with a classifier on the mean over all cells."""

    base_class = EfficientFormerModel

    def features_width(self, config: PretrainedConfig) -> int:
        return config.hidden_sizes[-1]

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state.mean(1)


class EfficientFormerForImageClassificationWithTeacher(
    ForDistilledImageClassification, EfficientFormerForImageClassification
):
    """EfficientFormer with two classifiers, one of which has followed a teacher; for inference only."""
