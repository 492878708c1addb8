"""The image encoder of Segment Anything 2: Hiera with windows, and a feature pyramid."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import pair
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, unrecorded
from zoo_vision.detr.model import sine_places
from zoo_vision.nn.windows import merge, partition
from zoo_vision.sam2.config import Sam2HieraDetConfig, Sam2VisionConfig

Grid = tuple[int, int]


class Sam2HieraDetModelOutput(ModelOutput):
    """States (batch, rows, columns, width), and `intermediate_hidden_states`, those at the ends of stages.

    As released, `attentions` are what attention returns, windows apart, not weights.
    """

    last_hidden_state: Tensor | None = None
    intermediate_hidden_states: tuple[Tensor, ...] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class Sam2VisionEncoderOutput(ModelOutput):
    """States of the backbone; maps (batch, channels, rows, columns) and their positions, the finest first."""

    last_hidden_state: Tensor | None = None
    fpn_hidden_states: tuple[Tensor, ...] | None = None
    fpn_position_encoding: tuple[Tensor, ...] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


def pooled(x: Tensor, stride: Grid) -> Tensor:
    """The highest values of (batch, rows, columns, width) within blocks of `stride`."""
    return F.max_pool2d(x.permute(0, 3, 1, 2), stride, stride).permute(0, 2, 3, 1)


class PoolingAttention(Attention):
    """Attention within maps, whose queries may be pooled."""

    def __init__(self, size: int, width: int, heads: int) -> None:
        super().__init__(width, heads)
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(size, width) for _ in range(3))

    def over(self, x: Tensor, stride: Grid | None) -> Tensor:
        """(batch, rows, columns, size) to (batch, rows / stride, columns / stride, width)."""
        query = self.q_proj(x)
        if stride is not None:
            query = pooled(query, stride)
        grid = (query.shape[1], query.shape[2])
        hidden = x.flatten(1, 2)
        key, value = self.split(self.k_proj(hidden)), self.split(self.v_proj(hidden))
        mask = AttentionContext(query.flatten(1, 2)).mask(self.rule, hidden.shape[1])
        with unrecorded():
            found = self.attend(self.split(query.flatten(1, 2)), key, value, mask)
        return self.merge(found).unflatten(1, grid)


class HieraDetLayer(nn.Module):
    """Attention in windows, or over all where `window` is 0, and a feed-forward block.

    Args:
        size, width: before and after. stride: by which the map shrinks.
    """

    hub_names: HubNames = {
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused("attn.qkv"),
        "self_attn": "attn",
        "self_attn.o_proj": "attn.proj",
        "input_layernorm": "layer_norm1",
        "post_attention_layernorm": "layer_norm2",
        "mlp.fc1": "mlp.proj_in",
        "mlp.fc2": "mlp.proj_out",
    }

    def __init__(
        self,
        config: Sam2HieraDetConfig,
        size: int,
        width: int,
        heads: int,
        *,
        window: int,
        stride: Grid | None,
    ) -> None:
        super().__init__()
        eps = config.layer_norm_eps
        self.window, self.stride = window, stride
        self.input_layernorm = nn.LayerNorm(size, eps=eps)
        self.self_attn = PoolingAttention(size, width, heads)
        self.post_attention_layernorm = nn.LayerNorm(width, eps=eps)
        self.mlp = MLP(width, int(width * config.mlp_ratio), config.hidden_act)
        self.proj = nn.Linear(size, width) if size != width else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.input_layernorm(x)
        if self.proj is not None:
            x = self.proj(y)
            x = x if self.stride is None else pooled(x, self.stride)
        rows, columns = x.shape[1:3]
        if self.window:
            side = self.window if self.stride is None else self.window // self.stride[0]
            y = partition(y, self.window).unflatten(1, (self.window, self.window))
            y = self.self_attn.over(y, self.stride)
            record(ATTENTIONS, y)
            y = merge(y.flatten(1, 2), side, rows, columns)
        else:
            y = self.self_attn.over(y, self.stride)
            record(ATTENTIONS, y)
        x = x + y
        return x + self.mlp(self.post_attention_layernorm(x))


class Sam2HieraDetModel(PreTrainedModel):
    """Patches and stages, each of a map half the size and twice as wide."""

    config_class = Sam2HieraDetConfig
    main_input_name = "pixel_values"
    hub_names: HubNames = {"layers": "blocks", "projection": "patch_embed.projection"}

    def __init__(self, config: Sam2HieraDetConfig) -> None:
        super().__init__(config)
        first, around = config.window_size_per_stage[0], config.window_positional_embedding_background_size
        kernel, stride, padding = config.patch_kernel_size, config.patch_stride, config.patch_padding
        size = config.hidden_size
        self.projection = nn.Conv2d(config.num_channels, size, pair(kernel), pair(stride), pair(padding))
        self.pos_embed = nn.Parameter(torch.zeros(1, size, *pair(around)))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, size, first, first))
        self.ends: list[int] = []
        layers: list[nn.Module] = []
        for stage, count in enumerate(config.blocks_per_stage):
            for block in range(count):
                begins = block == 0 and stage > 0
                # a stage's first layer still has the windows of the stage before
                window = config.window_size_per_stage[stage - 1 if begins else stage]
                layers.append(
                    HieraDetLayer(
                        config,
                        config.embed_dim_per_stage[stage - 1 if begins else stage],
                        config.embed_dim_per_stage[stage],
                        config.num_attention_heads_per_stage[stage],
                        window=0 if len(layers) in config.global_attention_blocks else window,
                        stride=pair(config.query_stride)
                        if begins and stage <= config.num_query_pool_stages
                        else None,
                    )
                )
            self.ends.append(len(layers) - 1)
        self.layers = nn.ModuleList(layers)
        self.post_init()

    def places(self, grid: Grid) -> Tensor:
        """(1, rows, columns, width): positions in the map, and, repeated, in windows."""
        x = F.interpolate(self.pos_embed, size=grid, mode="bicubic")
        rows, columns = (-(-n // w) for n, w in zip(grid, self.pos_embed_window.shape[-2:], strict=True))
        x = x + self.pos_embed_window.tile(1, 1, rows, columns)[..., : grid[0], : grid[1]]
        return x.permute(0, 2, 3, 1)

    def forward(self, pixel_values: Tensor) -> Sam2HieraDetModelOutput:
        """(batch, channels, height, width) to states of the last stage, and of all."""
        x = self.projection(pixel_values).permute(0, 2, 3, 1)
        x = x + self.places((x.shape[1], x.shape[2]))
        found = []
        for i, layer in enumerate(self.layers):
            record(HIDDEN_STATES, x)
            x = layer(x)
            if i in self.ends:
                found.append(x)
        record(HIDDEN_STATES, x)
        return Sam2HieraDetModelOutput(last_hidden_state=x, intermediate_hidden_states=tuple(found))


class FeaturePyramid(nn.Module):
    """Maps of all stages in one width, some with the next coarser one added (https://arxiv.org/abs/1612.03144)."""

    def __init__(self, config: Sam2VisionConfig) -> None:
        super().__init__()
        self.levels, width = config.fpn_top_down_levels, config.fpn_hidden_size
        self.convs = nn.ModuleList(
            nn.Conv2d(size, width, config.fpn_kernel_size, config.fpn_stride, config.fpn_padding)
            for size in config.backbone_channel_list
        )

    def forward(self, states: tuple[Tensor, ...]) -> list[Tensor]:
        """States (batch, rows, columns, width), the finest first, to maps in the same order."""
        found: list[Tensor] = []
        for conv, (level, x) in zip(self.convs, reversed(list(enumerate(states))), strict=True):
            x = conv(x.permute(0, 3, 1, 2))
            if found and level in self.levels:
                x = x + F.interpolate(found[-1].float(), scale_factor=2, mode="nearest").to(x.dtype)
            found.append(x)
        return found[::-1]


class Sam2VisionModel(PreTrainedModel):
    """Backbone and pyramid."""

    config_class = Sam2VisionConfig
    main_input_name = "pixel_values"

    def __init__(self, config: Sam2VisionConfig) -> None:
        super().__init__(config)
        self.backbone: Any = build_part(config.backbone_config)
        self.neck = FeaturePyramid(config)
        self.post_init()

    def staged(self, pixel_values: Tensor) -> Sam2HieraDetModelOutput:
        """What the backbone says of each stage."""
        outputs: Sam2HieraDetModelOutput = self.backbone(pixel_values)
        return outputs

    def forward(self, pixel_values: Tensor | None = None) -> Sam2VisionEncoderOutput:
        """(batch, channels, height, width) to maps of several sizes."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        outputs = self.staged(pixel_values)
        maps = self.neck(outputs.intermediate_hidden_states)[: self.config.num_feature_levels]
        places = []
        for x in maps:
            inside = torch.ones_like(x[:, 0])
            found = sine_places(inside, x.shape[1] // 2)
            places.append(found.transpose(1, 2).unflatten(2, (x.shape[-2], x.shape[-1])).to(x.dtype))
        return Sam2VisionEncoderOutput.carry(
            outputs, fpn_hidden_states=tuple(maps), fpn_position_encoding=tuple(places)
        )
