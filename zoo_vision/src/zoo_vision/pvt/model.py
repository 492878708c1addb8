"""PVT: a transformer over maps that shrink from stage to stage, with a class token in the last."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import interpolate_positions
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.nn.window_bias import Grid
from zoo_vision.pvt.config import PvtConfig
from zoo_vision.segformer.model import ReducedAttention


class PvtPreTrainedModel(PreTrainedModel):
    """What all PVT classes share."""

    config_class = PvtConfig
    base_model_prefix = "pvt"
    main_input_name = "pixel_values"


class PvtLayer(ScaledPreNormLayer):
    """Attention to a smaller map, and a feed-forward block."""

    hub_names: HubNames = {
        "input_layernorm": "layer_norm_1",
        "post_attention_layernorm": "layer_norm_2",
        "self_attn.q_proj": "attention.self.query",
        "self_attn.k_proj": "attention.self.key",
        "self_attn.v_proj": "attention.self.value",
        "self_attn.sr": "attention.self.sequence_reduction",
        "self_attn.norm": "attention.self.layer_norm",
        "self_attn.o_proj": "attention.output.dense",
        "mlp.fc1": "mlp.dense1",
        "mlp.fc2": "mlp.dense2",
    }

    def __init__(self, config: PvtConfig, stage: int, drop_path: float) -> None:
        size, dropout = config.hidden_sizes[stage], config.hidden_dropout_prob
        inner = int(size * config.mlp_ratios[stage])
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=ReducedAttention(
                size,
                config.num_attention_heads[stage],
                reduction=config.sequence_reduction_ratios[stage],
                dropout=config.attention_probs_dropout_prob,
                bias=config.qkv_bias,
                eps=config.layer_norm_eps,
            ),
            mlp=MLP(size, inner, config.hidden_act, activation_dropout=dropout),
            drop_path=drop_path,
            dropout=dropout,
        )


class PvtEmbeddings(nn.Module):
    """Patches of a map, normalised, with learned positions, and in the last stage a class token."""

    hub_names: HubNames = {"norm": "layer_norm"}
    cls_token: nn.Parameter | None

    def __init__(self, config: PvtConfig, stage: int, side: int) -> None:
        super().__init__()
        size, last = config.hidden_sizes[stage], stage == config.num_encoder_blocks - 1
        channels = config.num_channels if stage == 0 else config.hidden_sizes[stage - 1]
        self.grid = (side, side)
        self.projection = nn.Conv2d(channels, size, config.patch_sizes[stage], config.strides[stage])
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size)) if last else None
        self.position_embeddings = nn.Parameter(torch.zeros(1, side * side + last, size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, x: Tensor) -> tuple[Tensor, Grid]:
        """(batch, channels, height, width) to (batch, tokens, size) and the grid of patches."""
        x = self.projection(x)
        grid, hidden = (x.shape[2], x.shape[3]), self.norm(x.flatten(2).transpose(1, 2))
        if self.cls_token is not None:
            hidden = torch.cat((self.cls_token.expand(len(hidden), -1, -1), hidden), dim=1)
        prefix = int(self.cls_token is not None)
        positions = interpolate_positions(self.position_embeddings, self.grid, grid, prefix=prefix)
        return self.dropout(hidden + positions), grid


class PvtStage(nn.Module):
    """Patches and layers, the states after each of which are recorded."""

    def __init__(self, config: PvtConfig, index: int, side: int, rates: Iterator[float]) -> None:
        super().__init__()
        self.patches = PvtEmbeddings(config, index, side)
        self.layers = nn.ModuleList(PvtLayer(config, index, next(rates)) for _ in range(config.depths[index]))

    def forward(self, x: Tensor) -> tuple[Tensor, Grid]:
        hidden, grid = self.patches(x)
        for layer in self.layers:
            hidden = layer(hidden, AttentionContext(hidden), grid=grid)
            record(HIDDEN_STATES, hidden)
        return hidden, grid


class PvtModel(PvtPreTrainedModel):
    """Stages and a final norm."""

    hub_names: HubNames = {
        "stages.*.patches": "encoder.patch_embeddings.*",
        "stages.*.layers": "encoder.block.*",
        "norm": "encoder.layer_norm",
    }

    def __init__(self, config: PvtConfig) -> None:
        super().__init__(config)
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages, side = nn.ModuleList(), config.image_size
        for i in range(config.num_encoder_blocks):
            side //= config.strides[i]
            self.stages.append(PvtStage(config, i, side, rates))
        self.norm = nn.LayerNorm(config.hidden_sizes[-1], eps=config.layer_norm_eps)
        self.post_init()

    def forward(self, pixel_values: Tensor) -> BaseModelOutput:
        """(batch, channels, height, width) to states (batch, 1 + patches, width) of the last stage."""
        x: Any = pixel_values
        for stage in self.stages[:-1]:
            hidden, grid = stage(x)
            x = hidden.transpose(1, 2).unflatten(2, grid)
        hidden, _ = self.stages[-1](x)
        hidden = self.norm(hidden)
        record(HIDDEN_STATES, hidden)
        return BaseModelOutput(last_hidden_state=hidden)


class PvtForImageClassification(ForImageClassification, PvtPreTrainedModel):
    """PVT with a classifier on the class token."""

    base_class = PvtModel

    def features_width(self, config: Any) -> int:
        return config.hidden_sizes[-1]
