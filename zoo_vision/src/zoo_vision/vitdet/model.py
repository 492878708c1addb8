"""ViTDet: a plain ViT over maps, most of whose layers may attend within windows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.backbone import SingleStageBackbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.drop_path import DropPath, drop_rates
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions, pair
from zoo_core.nn.stack import run_layers
from zoo_vision.nn.axis_bias import AxisBiasAttention
from zoo_vision.nn.norm import ChannelNorm
from zoo_vision.nn.windows import merge, partition
from zoo_vision.vitdet.config import VitDetConfig


class VitDetPreTrainedModel(PreTrainedModel):
    """What all ViTDet classes share."""

    config_class = VitDetConfig
    base_model_prefix = "vitdet"
    main_input_name = "pixel_values"


class VitDetEmbeddings(PatchEmbedding):
    """Patches as a map, with learned positions stretched to it; the table has a row for a class token."""

    position_embeddings: nn.Parameter | None

    def __init__(self, config: VitDetConfig) -> None:
        super().__init__(
            config.pretrain_image_size, config.patch_size, config.num_channels, config.hidden_size
        )
        absolute = config.use_absolute_position_embeddings
        rows = self.num_patches + 1
        self.position_embeddings = (
            nn.Parameter(torch.zeros(1, rows, config.hidden_size)) if absolute else None
        )

    def forward(self, pixel_values: Tensor) -> Tensor:  # type: ignore[override]
        """(batch, channels, height, width) to (batch, hidden, rows, columns)."""
        hidden = super().forward(pixel_values, any_size=True)
        down, across = self.patch_size
        grid = (pixel_values.shape[-2] // down, pixel_values.shape[-1] // across)
        if self.position_embeddings is not None:
            hidden = hidden + interpolate_positions(
                self.position_embeddings[:, 1:], self.grid, grid, prefix=0
            )
        return hidden.transpose(1, 2).unflatten(2, grid)


class Bottleneck(nn.Module):
    """x + 1x1, 3x3 and 1x1 convolutions with norms."""

    hub_names: HubNames = {f"{part}s.{i}": f"{part}{i + 1}" for i in range(3) for part in ("conv", "norm")}

    def __init__(self, width: int, act: str) -> None:
        super().__init__()
        inner = width // 2
        self.convs = nn.ModuleList(
            (
                nn.Conv2d(width, inner, 1, bias=False),
                nn.Conv2d(inner, inner, 3, padding=1, bias=False),
                nn.Conv2d(inner, width, 1, bias=False),
            )
        )
        self.norms = nn.ModuleList(ChannelNorm(size) for size in (inner, inner, width))
        self.act = activation(act)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            y = norm(conv(y))
            if i < 2:
                y = self.act(y)
        return x + y


class VitDetLayer(nn.Module):
    """Attention, in windows where `window` is not 0, and a feed-forward block; both on normalised states."""

    hub_names: HubNames = {
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused("attention.qkv"),
        "self_attn": "attention",
        "self_attn.o_proj": "attention.proj",
        "input_layernorm": "norm1",
        "post_attention_layernorm": "norm2",
    }
    residual: nn.Module | None

    def __init__(self, config: VitDetConfig, index: int, drop_path: float) -> None:
        super().__init__()
        size, eps, dropout = config.hidden_size, config.layer_norm_eps, config.dropout_prob
        self.window = config.window_size if index in config.window_block_indices else 0
        (height, width), (rows, columns) = pair(config.image_size), pair(config.patch_size)
        grid = (self.window,) * 2 if self.window else (height // rows, width // columns)
        self.self_attn = AxisBiasAttention(
            size,
            config.num_attention_heads,
            grid=grid if config.use_relative_position_embeddings else None,
            bias=config.qkv_bias,
        )
        self.input_layernorm = nn.LayerNorm(size, eps=eps)
        self.post_attention_layernorm = nn.LayerNorm(size, eps=eps)
        inner = int(size * config.mlp_ratio)
        self.mlp = MLP(size, inner, config.hidden_act, activation_dropout=dropout, dropout=dropout)
        self.drop_path = DropPath(drop_path)
        convolves = index in config.residual_block_indices
        self.residual = Bottleneck(size, config.hidden_act) if convolves else None

    def forward(self, x: Tensor) -> Tensor:
        """(batch, hidden, rows, columns) to the same shape."""
        rows, columns = x.shape[2:]
        cells = x.permute(0, 2, 3, 1)
        y = self.input_layernorm(cells)
        if self.window:
            windows = partition(y, self.window).unflatten(1, (self.window, self.window))
            seen = self.self_attn.over(windows).flatten(1, 2)
            y = merge(seen, self.window, rows, columns)
        else:
            y = self.self_attn.over(y)
        cells = cells + self.drop_path(y)
        cells = cells + self.drop_path(self.mlp(self.post_attention_layernorm(cells)))
        x = cells.permute(0, 3, 1, 2)
        return x if self.residual is None else self.residual(x)


class VitDetModel(VitDetPreTrainedModel):
    """Embeddings and layers over maps (batch, hidden, rows, columns)."""

    hub_names: HubNames = {"layers": "encoder.layer"}

    def __init__(self, config: VitDetConfig) -> None:
        super().__init__(config)
        self.embeddings = VitDetEmbeddings(config)
        rates = drop_rates(config.drop_path_rate, config.num_hidden_layers)
        self.layers = nn.ModuleList(VitDetLayer(config, i, rate) for i, rate in enumerate(rates))
        self.post_init()

    def forward(
        self, pixel_values: Tensor | None = None, *, head_mask: Tensor | None = None
    ) -> BaseModelOutput:
        """(batch, channels, height, width) to the last map; as released, `head_mask` changes nothing."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x = run_layers(self.layers, self.embeddings(pixel_values))
        return BaseModelOutput(last_hidden_state=x)

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.projection


class VitDetBackbone(SingleStageBackbone, VitDetPreTrainedModel):
    """ViTDet that returns the maps after some layers."""

    base_class = VitDetModel

    def feature_map(self, state: Tensor, stage: str, pixel_values: Tensor) -> Tensor:
        return state
