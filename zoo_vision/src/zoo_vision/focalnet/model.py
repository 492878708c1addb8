"""FocalNet: each cell is multiplied by what it sees around it, near and far, instead of attending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.drop_path import DropPath, LayerScale
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import pair
from zoo_vision.focalnet.config import FocalNetConfig
from zoo_vision.nn.window_bias import Grid
from zoo_vision.swin.model import (
    SwinForImageClassification,
    SwinForMaskedImageModeling,
    SwinModel,
    SwinModelOutput,
    SwinPreTrainedModel,
)


class FocalNetPreTrainedModel(SwinPreTrainedModel):
    """What all FocalNet classes share."""

    config_class = FocalNetConfig
    base_model_prefix = "focalnet"


class Patches(nn.Module):
    """Patches that overlap or not, normalised; the start of the network, or the end of a stage."""

    def __init__(self, config: FocalNetConfig, channels: int, width: int, *, first: bool = False) -> None:
        super().__init__()
        self.patch = pair(config.patch_size) if first else (2, 2)
        if config.use_conv_embed:
            kernel, stride, padding = (7, 4, 2) if first else (3, 2, 1)
            self.patch = (1, 1)  # any map will do
            self.projection = nn.Conv2d(channels, width, kernel, stride, padding)
        else:
            self.projection = nn.Conv2d(channels, width, self.patch, self.patch)
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)

    def forward(self, x: Tensor) -> tuple[Tensor, Grid]:
        """(batch, channels, height, width) to (batch, patches, width) and their grid."""
        rows, columns = self.patch
        x = self.projection(F.pad(x, (0, -x.shape[-1] % columns, 0, -x.shape[-2] % rows)))
        return self.norm(x.flatten(2).transpose(1, 2)), (x.shape[2], x.shape[3])


class FocalNetEmbeddings(nn.Module):
    """Patches of the image; masked ones become `mask_token`."""

    hub_names: HubNames = {
        "patches.projection": "patch_embeddings.projection",
        "patches.norm": "norm",
    }
    mask_token: nn.Parameter | None

    def __init__(self, config: FocalNetConfig, *, use_mask_token: bool) -> None:
        super().__init__()
        size = config.embed_dim
        self.patches = Patches(config, config.num_channels, size, first=True)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, size)) if use_mask_token else None
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self, pixel_values: Tensor, *, bool_masked_pos: Tensor | None = None, **unused: Any
    ) -> tuple[Tensor, Grid]:
        hidden, grid = self.patches(pixel_values)
        if bool_masked_pos is not None:
            if self.mask_token is None:
                raise ValueError("bool_masked_pos needs a model built with use_mask_token=True")
            hidden = torch.where(bool_masked_pos[..., None].bool(), self.mask_token.to(hidden.dtype), hidden)
        return self.dropout(hidden), grid


class Modulation(nn.Module):
    """A query for each cell, times contexts of growing size that gates of the cell have mixed."""

    hub_names: HubNames = {"focal_layers.*": "focal_layers.*.0", "norm": "layernorm"}

    def __init__(self, config: FocalNetConfig, index: int, width: int) -> None:
        super().__init__()
        levels, window = config.focal_levels[index], config.focal_windows[index]
        self.sizes = [width, width, levels + 1]
        self.projection_in = nn.Linear(width, sum(self.sizes))
        kernels = (window + 2 * level for level in range(levels))
        self.focal_layers = nn.ModuleList(
            nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
            for kernel in kernels
        )
        self.projection_context = nn.Conv2d(width, width, 1)
        normed = config.use_post_layernorm_in_modulation
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps) if normed else nn.Identity()
        self.projection_out = nn.Linear(width, width)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.divisor = levels + 1 if config.normalize_modulator else 1

    def forward(self, hidden: Tensor, grid: Grid) -> Tensor:
        """(batch, cells, width) to the same shape."""
        image = self.projection_in(hidden).transpose(1, 2).unflatten(2, grid)
        query, context, gates = image.split(self.sizes, dim=1)
        mixed = torch.zeros_like(query)
        for level, conv in enumerate(self.focal_layers):
            context = F.gelu(conv(context))
            mixed = mixed + context * gates[:, level : level + 1]
        whole = F.gelu(context.mean((2, 3), keepdim=True))
        mixed = (mixed + whole * gates[:, -1:]) / self.divisor
        seen = query * self.projection_context(mixed)
        return self.dropout(self.projection_out(self.norm(seen.flatten(2).transpose(1, 2))))


class FocalNetLayer(nn.Module):
    """Modulation and a feed-forward block, with norms before them or after."""

    hub_names: HubNames = {"layer_scale1.weight": "gamma_1", "layer_scale2.weight": "gamma_2"}

    def __init__(self, config: FocalNetConfig, index: int, drop_path: float) -> None:
        super().__init__()
        width, dropout = config.embed_dim * 2**index, config.hidden_dropout_prob
        norm = partial(nn.LayerNorm, width, eps=config.layer_norm_eps)
        self.norm1, self.norm2, self.norm_first = norm(), norm(), not config.use_post_layernorm
        self.modulation = Modulation(config, index, width)
        inner = int(width * config.mlp_ratio)
        self.mlp = MLP(width, inner, config.hidden_act, activation_dropout=dropout, dropout=dropout)
        self.drop_path = DropPath(drop_path)
        for name in ("layer_scale1", "layer_scale2"):
            scaled, initial = config.use_layerscale, config.layerscale_value
            self.add_module(name, LayerScale(width, initial) if scaled else nn.Identity())

    def forward(self, hidden: Tensor, grid: Grid) -> Tensor:
        if self.norm_first:
            seen = self.modulation(self.norm1(hidden), grid)
            hidden = hidden + self.drop_path(self.layer_scale1(seen))
            return hidden + self.drop_path(self.layer_scale2(self.mlp(self.norm2(hidden))))
        seen = self.norm1(self.modulation(hidden, grid))
        hidden = hidden + self.drop_path(self.layer_scale1(seen))
        return hidden + self.drop_path(self.layer_scale2(self.norm2(self.mlp(hidden))))


class Downsample(Patches):
    """The patches that end a stage, made of its states."""

    def forward(self, hidden: Tensor, grid: Grid) -> tuple[Tensor, Grid]:  # type: ignore[override]
        return super().forward(hidden.transpose(1, 2).unflatten(2, grid))


class FocalNetStage(nn.Module):
    """Layers of one size, and the patches that end it."""

    downsample: Downsample | None

    def __init__(self, config: FocalNetConfig, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        width = config.embed_dim * 2**index
        self.layers = nn.ModuleList(
            FocalNetLayer(config, index, next(rates)) for _ in range(config.depths[index])
        )
        last = index == len(config.depths) - 1
        self.downsample = None if last else Downsample(config, width, 2 * width)

    def forward(self, hidden: Tensor, grid: Grid, head_mask: None = None) -> Tensor:
        """(batch, cells, width) to the same shape; making it smaller is left to the caller."""
        for layer in self.layers:
            hidden = layer(hidden, grid)
        return hidden


class FocalNetModel(SwinModel, FocalNetPreTrainedModel):
    """Embeddings, stages and a final norm; `pooler_output` is the mean over all cells."""

    hub_names: HubNames = {"stages": "encoder.stages", "norm": "layernorm"}
    stage_class = FocalNetStage  # type: ignore[assignment]

    def make_embeddings(self, config: FocalNetConfig, use_mask_token: bool) -> nn.Module:  # type: ignore[override]
        return FocalNetEmbeddings(config, use_mask_token=use_mask_token)

    def forward(  # type: ignore[override]
        self, pixel_values: Tensor | None = None, bool_masked_pos: Tensor | None = None
    ) -> SwinModelOutput:
        """(batch, channels, height, width) to states (batch, cells, hidden) and pooled (batch, hidden).

        `bool_masked_pos` (batch, patches) says which patches to hide.
        """
        return super().forward(pixel_values, bool_masked_pos)

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.get_submodule("patches")


def last_width(config: PretrainedConfig) -> int:
    """Width of the last stage."""
    width: int = config.embed_dim * 2 ** (len(config.depths) - 1)
    return width


class FocalNetForImageClassification(SwinForImageClassification, FocalNetPreTrainedModel):
    """FocalNet with a classifier on the mean over all cells."""

    base_class = FocalNetModel

    def features_width(self, config: PretrainedConfig) -> int:
        return last_width(config)


class FocalNetForMaskedImageModeling(SwinForMaskedImageModeling, FocalNetPreTrainedModel):
    """FocalNet that reconstructs masked patches."""

    base_class = FocalNetModel

    def features_width(self, config: PretrainedConfig) -> int:
        return last_width(config)


class FocalNetBackbone(Backbone, FocalNetPreTrainedModel):
    """FocalNet that returns the maps of some stages, after they have become smaller."""

    base_class = FocalNetModel
    base_name = "focalnet"

    @property
    def num_features(self) -> list[int]:
        return [self.config.embed_dim, *self.config.hidden_sizes]

    def states(self, outputs: ModelOutput) -> Sequence[Tensor]:
        maps: tuple[Tensor, ...] = outputs.reshaped_hidden_states
        return maps
