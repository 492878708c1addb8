"""PVT v2: overlapping patches, and positions read from convolutions in the feed-forward blocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import accumulate
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, taken
from zoo_vision.nn.window_bias import Grid
from zoo_vision.pvt_v2.config import PvtV2Config
from zoo_vision.segformer.model import MixMLP, OverlapPatches, ReducedAttention


class PvtV2PreTrainedModel(PreTrainedModel):
    """What all PVT v2 classes share."""

    config_class = PvtV2Config
    base_model_prefix = "pvt_v2"
    main_input_name = "pixel_values"


class LinearAttention(ReducedAttention):
    """Attention to a map of 7x7 means."""

    def __init__(self, size: int, heads: int, **options: Any) -> None:
        super().__init__(size, heads, **{**options, "reduction": 1})
        self.sr, self.norm = nn.Conv2d(size, size, 1), nn.LayerNorm(size, eps=options["eps"])

    def reduced(self, hidden: Tensor, grid: Grid) -> Tensor:
        image = F.adaptive_avg_pool2d(hidden.transpose(1, 2).unflatten(2, grid), 7)
        assert self.sr is not None
        return F.gelu(self.norm(self.sr(image).flatten(2).transpose(1, 2)))


class LinearMixMLP(MixMLP):
    """The feed-forward block that goes with it, with a ReLU before the convolution."""

    hub_names: HubNames = {**MixMLP.hub_names, "fc1.0": "dense1"}

    def __init__(self, *sizes: Any) -> None:
        super().__init__(*sizes)
        self.fc1 = nn.Sequential(self.fc1, nn.ReLU())  # type: ignore[assignment]


class PvtV2Layer(ScaledPreNormLayer):
    """Attention to a smaller map, and a feed-forward block with a convolution."""

    hub_names: HubNames = {
        "input_layernorm": "layer_norm_1",
        "post_attention_layernorm": "layer_norm_2",
        "self_attn.q_proj": "attention.query",
        "self_attn.k_proj": "attention.key",
        "self_attn.v_proj": "attention.value",
        "self_attn.sr": "attention.spatial_reduction",
        "self_attn.norm": "attention.layer_norm",
        "self_attn.o_proj": "attention.proj",
    }

    def __init__(self, config: PvtV2Config, stage: int, drop_path: float) -> None:
        size, inner = config.hidden_sizes[stage], int(config.hidden_sizes[stage] * config.mlp_ratios[stage])
        linear = config.linear_attention
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=(LinearAttention if linear else ReducedAttention)(
                size,
                config.num_attention_heads[stage],
                reduction=config.sr_ratios[stage],
                dropout=config.attention_probs_dropout_prob,
                bias=config.qkv_bias,
                eps=config.layer_norm_eps,
            ),
            mlp=(LinearMixMLP if linear else MixMLP)(
                size, inner, config.hidden_act, config.hidden_dropout_prob
            ),
            drop_path=drop_path,
            dropout=config.attention_probs_dropout_prob,
        )

    def forward(self, hidden: Tensor, grid: Grid) -> Tensor:  # type: ignore[override]
        branch = self.self_attn(self.input_layernorm(hidden), AttentionContext(hidden), grid=grid)
        hidden = hidden + self.drop_path(self.dropout(branch))
        return hidden + self.drop_path(self.mlp(self.post_attention_layernorm(hidden), grid))


class PvtV2Stage(nn.Module):
    """Patches, layers and a norm."""

    hub_names: HubNames = {"patches": "patch_embedding", "layers": "blocks", "norm": "layer_norm"}

    def __init__(self, config: PvtV2Config, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        size, eps = config.hidden_sizes[index], config.layer_norm_eps
        channels = config.num_channels if index == 0 else config.hidden_sizes[index - 1]
        self.patches = OverlapPatches(channels, size, config.patch_sizes[index], config.strides[index])
        self.patches.layer_norm.eps = eps
        self.layers = nn.ModuleList(
            PvtV2Layer(config, index, next(rates)) for _ in range(config.depths[index])
        )
        self.norm = nn.LayerNorm(size, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, size, height / stride, width / stride)."""
        hidden, grid = self.patches(x)
        for layer in self.layers:
            hidden = layer(hidden, grid)
        return self.norm(hidden).transpose(1, 2).unflatten(2, grid).contiguous()


class PvtV2Model(PvtV2PreTrainedModel):
    """Stages, the maps after each of which are recorded."""

    hub_names: HubNames = {"stages": "encoder.layers"}

    def __init__(self, config: PvtV2Config) -> None:
        super().__init__(config)
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages = nn.ModuleList(PvtV2Stage(config, i, rates) for i in range(config.num_encoder_blocks))
        self.post_init()

    def forward(self, pixel_values: Tensor) -> BaseModelOutput:
        """(batch, channels, height, width) to the last map; `attentions` hold a tuple for each stage."""
        x = pixel_values
        for stage in self.stages:
            x = stage(x)
            record(HIDDEN_STATES, x)
        weights, ends = taken(ATTENTIONS), [0, *accumulate(self.config.depths)]
        stages = [tuple(weights[ends[i] : ends[i + 1]]) for i in range(len(self.config.depths))]
        return BaseModelOutput(last_hidden_state=x, attentions=tuple(stages) if weights else None)


class PvtV2ForImageClassification(ForImageClassification, PvtV2PreTrainedModel):
    """PVT v2 with a classifier on the mean over all cells."""

    base_class = PvtV2Model

    def features_width(self, config: Any) -> int:
        return config.hidden_sizes[-1]

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state.mean((2, 3))


class PvtV2Backbone(Backbone, PvtV2PreTrainedModel):
    """PVT v2 that returns the maps of some stages."""

    base_class = PvtV2Model

    @property
    def num_features(self) -> list[int]:
        return list(self.config.hidden_sizes)
