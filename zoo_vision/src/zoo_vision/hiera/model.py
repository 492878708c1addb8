"""Hiera: a plain transformer over maps that shrink from stage to stage, without convolutions or shifts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ImageClassifierOutput, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import interpolate_positions
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, taken, wants
from zoo_core.nn.rotary import RotaryTables
from zoo_vision.hiera.config import HieraConfig
from zoo_vision.swin.model import stage_factors

Grid = tuple[int, int]


class HieraModelOutput(ModelOutput):
    """States (batch, cells, width), in the order of `unroll`, and pooled ones.

    `reshaped_hidden_states` are (batch, rows, columns, width), or in a masked model (batch, units, rows,
    columns, width). `bool_masked_pos` (batch, units) is True where a unit was kept; `ids_restore` (batch,
    units) are the ranks of the units' noise.
    """

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    bool_masked_pos: Tensor | None = None
    ids_restore: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    reshaped_hidden_states: tuple[Tensor, ...] | None = None


class HieraForImageClassificationOutput(ImageClassifierOutput):
    """As ImageClassifierOutput, with the states as maps."""

    reshaped_hidden_states: tuple[Tensor, ...] | None = None


class HieraPreTrainedModel(PreTrainedModel):
    """What all Hiera classes share."""

    config_class = HieraConfig
    base_model_prefix = "hiera"
    main_input_name = "pixel_values"

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.LayerNorm):
            nn.init.constant_(module.weight, self.config.layer_norm_init)


def unroll(x: Tensor, stride: Grid, times: int) -> Tensor:
    """(batch, rows, columns, width) to (batch, cells, width), so that pooling is a maximum over blocks.

    The cells that the first pooling joins differ in the first axis of (stride, rest), those that the
    second joins in the first axis of the rest, and so on.
    """
    (down, across), (batch, rows, columns, width) = stride, x.shape
    sizes = [rows // down**times, *[down] * times, columns // across**times, *[across] * times]
    steps = [axis for i in range(times) for axis in (times + 1 - i, 2 * times + 2 - i)]
    order = [0, *steps, 1, times + 2, 2 * times + 3]
    return x.reshape(batch, *sizes, width).permute(order).reshape(batch, -1, width)


def reroll(x: Tensor, stride: Grid, times: int, grid: Grid | None) -> Tensor:
    """The inverse of `unroll`, to (batch, *grid, width); without a grid the last axis stays apart:
    (batch, rest, rows, columns, width)."""
    (down, across), (batch, _, width) = stride, x.shape
    last = 2 * times + 1
    rows, columns = range(last - 2, 0, -2), range(last - 1, 0, -2)
    if grid is None:
        x = x.reshape(batch, *stride * times, -1, width)
        x = x.permute(0, last, *rows, *columns, last + 1)
        return x.reshape(batch, -1, down**times, across**times, width)
    x = x.reshape(batch, *stride * times, grid[0] // down**times, grid[1] // across**times, width)
    return x.permute(0, last, *rows, last + 1, *columns, last + 2).reshape(batch, *grid, width)


def pooled(x: Tensor, dim: int, count: int) -> Tensor:
    """The maximum over `count` blocks of an axis."""
    return x if count == 1 else x.unflatten(dim, (count, -1)).amax(dim)


class HieraEmbeddings(nn.Module):
    """Patches that overlap, with learned positions."""

    hub_names: HubNames = {"projection": "patch_embeddings.projection"}

    def __init__(self, config: HieraConfig) -> None:
        super().__init__()
        self.config, size = config, config.embed_dim
        rows, columns = config.grid
        self.projection = nn.Conv2d(
            config.num_channels, size, tuple(config.patch_size), config.patch_stride, config.patch_padding
        )
        self.position_embeddings = nn.Parameter(torch.zeros(1, rows * columns, size))

    def forward(
        self, pixel_values: Tensor, *, kept: Tensor | None = None, interpolate: bool = False
    ) -> Tensor:
        """(batch, channels, height, width) to (batch, rows, columns, width).

        Args:
            kept: (batch, rows, columns) of units, False where the image is blackened. interpolate: stretch
                the positions to the image.
        """
        trained = tuple(self.config.image_size)
        if pixel_values.shape[1] != self.config.num_channels:
            raise ValueError(
                f"pixel_values have {pixel_values.shape[1]} channels, not {self.config.num_channels}"
            )
        if not interpolate and tuple(pixel_values.shape[-2:]) != trained:
            raise ValueError(
                f"images are {tuple(pixel_values.shape[-2:])}, the model was trained on {trained}; resize "
                "them (the image processor does), or pass interpolate_pos_encoding=True"
            )
        if kept is not None:
            pixel_values = pixel_values * F.interpolate(
                kept[:, None].to(pixel_values), size=pixel_values.shape[-2:]
            )
        x = self.projection(pixel_values).permute(0, 2, 3, 1)
        grid = (x.shape[1], x.shape[2])
        positions = interpolate_positions(self.position_embeddings, self.config.grid, grid, prefix=0)
        return x + positions.unflatten(1, grid)


class HieraAttention(Attention):
    """Attention whose queries are maxima over `stride` cells.

    Args:
        size: width of the input. out_size: of the output.
    """

    def __init__(self, size: int, out_size: int, heads: int, stride: int = 1) -> None:
        super().__init__(size, heads, head_dim=out_size // heads)
        self.o_proj = Linear(out_size, out_size)
        self.stride = stride

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = super().heads(hidden, rotary)
        return pooled(query, 2, self.stride), key, value


class HieraLayer(ScaledPreNormLayer):
    """Attention among all cells or within units, and a feed-forward block.

    Where the width changes, the shortcut of the attention is a linear map, and its maxima.

    Args:
        window: cells of a unit after pooling; None for attention among all.
    """

    hub_names: HubNames = {
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused("attn.qkv"),
        "self_attn.o_proj": "attn.proj",
        "input_layernorm": "layernorm_before",
        "post_attention_layernorm": "layernorm_after",
    }
    proj: nn.Linear | None

    def __init__(
        self,
        config: HieraConfig,
        size: int,
        out_size: int,
        heads: int,
        *,
        drop_path: float = 0.0,
        stride: int = 1,
        window: int | None = None,
    ) -> None:
        norm = partial(nn.LayerNorm, eps=config.layer_norm_eps)
        super().__init__(
            out_size,
            norm,
            self_attn=HieraAttention(size, out_size, heads, stride),
            mlp=MLP(out_size, int(out_size * config.mlp_ratio), config.hidden_act),
            drop_path=drop_path,
        )
        self.input_layernorm = norm(size)
        self.stride, self.window = stride, window
        self.proj = nn.Linear(size, out_size) if size != out_size else None

    def forward(self, hidden: Tensor, head_mask: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """(batch, cells, size) to (batch, cells / stride, out_size)."""
        batch, cells, _ = hidden.shape
        normed = self.input_layernorm(hidden)
        if self.proj is not None:
            hidden = pooled(self.proj(normed), 1, self.stride)
        units = 1 if self.window is None else cells // (self.stride * self.window)
        x = normed.unflatten(1, (-1, units)).transpose(1, 2).flatten(0, 1)
        x = self.self_attn(x, AttentionContext(x), head_mask=head_mask)
        x = x.unflatten(0, (batch, units)).transpose(1, 2).flatten(1, 2)
        hidden = hidden + self.drop_path(x)
        return hidden + self.drop_path(self.mlp(self.post_attention_layernorm(hidden)))


class HieraStage(nn.Module):
    """Layers of one width, the first of which may pool; it attends within units also where only the stage
    before does."""

    def __init__(self, config: HieraConfig, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        widths, heads = config.widths, config.num_heads[index]
        area = config.query_stride[0] * config.query_stride[1]
        unit = config.masked_unit_size[0] * config.masked_unit_size[1]
        window = unit // area**index
        within, before = config.masked_unit_attention[index], max(index - 1, 0)
        pools = 0 < index <= config.num_query_pool
        self.layers = nn.ModuleList(
            HieraLayer(
                config,
                widths[index if i else before],
                widths[index],
                heads,
                drop_path=next(rates),
                stride=area if pools and i == 0 else 1,
                window=window if within or (i == 0 and config.masked_unit_attention[before]) else None,
            )
            for i in range(config.depths[index])
        )

    def forward(self, hidden: Tensor, head_mask: Tensor | None = None) -> Tensor:
        for layer in self.layers:
            hidden = layer(hidden, head_mask)
        return hidden


class HieraModel(HieraPreTrainedModel):
    """Embeddings and stages; `pooler_output` is the normalised mean over all cells.

    Args:
        is_mae: hide random units of each image, as in pre-training.
        unrolls: bring the cells into the order that pooling takes; the released backbone leaves it out.
    """

    hub_names: HubNames = {"stages": "encoder.stages", "norm": "pooler.layernorm"}
    norm: nn.LayerNorm | None

    def __init__(
        self,
        config: HieraConfig,
        add_pooling_layer: bool = True,
        is_mae: bool = False,
        *,
        unrolls: bool = True,
    ) -> None:
        super().__init__(config)
        self.is_mae, self.unrolls = is_mae, unrolls
        self.embeddings = HieraEmbeddings(config)
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages = nn.ModuleList(HieraStage(config, i, rates) for i in range(len(config.depths)))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps) if add_pooling_layer else None
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor | None = None,
        noise: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        interpolate_pos_encoding: bool | None = None,
    ) -> HieraModelOutput:
        """(batch, channels, height, width) to states (batch, cells, hidden) and pooled (batch, hidden).

        Args:
            noise: (batch, units) in pre-training, the units with the least are kept; random by default.
            head_mask: (heads,) or (stages, heads). interpolate_pos_encoding: stretch the positions.
        """
        config = self.config
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        units = self.units(pixel_values)
        kept, ranks = self._masked(pixel_values, units, noise) if self.is_mae else (None, None)
        hidden = self.embeddings(
            pixel_values,
            kept=None if kept is None else kept.unflatten(1, units),
            interpolate=bool(interpolate_pos_encoding),
        )
        grid = None if kept is not None else (hidden.shape[1], hidden.shape[2])
        times = len(self.stages) - 1 if self.unrolls else 0
        hidden = unroll(hidden, config.query_stride, times)
        if kept is not None:
            rows = hidden.unflatten(1, (-1, kept.shape[1])).transpose(1, 2)[kept]
            hidden = rows.unflatten(0, (len(hidden), -1)).transpose(1, 2).flatten(1, 2)
        maps: list[Tensor] = []
        self._note(hidden, 0, grid, maps)
        for i, stage in enumerate(self.stages):
            hidden = stage(hidden, stage_factors(head_mask, i))
            self._note(hidden, i, grid, maps)
        return HieraModelOutput(
            last_hidden_state=hidden,
            pooler_output=None if self.norm is None else self.norm(hidden.mean(1)),
            bool_masked_pos=kept,
            ids_restore=ranks,
            attentions=self._last_of_stages(len(hidden)),
            reshaped_hidden_states=tuple(maps) or None,
        )

    def units(self, pixel_values: Tensor) -> Grid:
        """Rows and columns of units of an image."""
        sizes = zip(
            pixel_values.shape[-2:], self.config.patch_stride, self.config.masked_unit_size, strict=True
        )
        rows, columns = (size // stride // unit for size, stride, unit in sizes)
        return rows, columns

    def _masked(self, pixel_values: Tensor, units: Grid, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """Which units are kept (batch, units), bool, and the ranks of their noise."""
        shape = (len(pixel_values), units[0] * units[1])
        if noise is None:
            noise = torch.rand(shape, device=pixel_values.device)
        if tuple(noise.shape) != shape:
            raise ValueError(f"noise is {tuple(noise.shape)}, but must be (batch, units), here {shape}")
        ranks = noise.argsort(1).argsort(1)
        return ranks < int(shape[1] * (1 - self.config.mask_ratio)), ranks

    def _note(self, hidden: Tensor, stage: int, grid: Grid | None, maps: list[Tensor]) -> None:
        record(HIDDEN_STATES, hidden)
        if wants(HIDDEN_STATES):
            (down, across), pools = self.config.query_stride, min(stage, self.config.num_query_pool)
            here = None if grid is None else (grid[0] // down**pools, grid[1] // across**pools)
            maps.append(reroll(hidden, (down, across), len(self.stages) - 1 - pools, here))

    def _last_of_stages(self, batch: int) -> tuple[Tensor, ...] | None:
        """(batch, heads, units, queries, keys) of each stage's last layer."""
        weights = taken(ATTENTIONS)
        if not weights:
            return None
        ends = [weights[end - 1] for end in accumulate(self.config.depths)]
        return tuple(w.unflatten(0, (batch, -1)).transpose(1, 2) for w in ends)

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.projection


class HieraForImageClassification(ForImageClassification, HieraPreTrainedModel):
    """Hiera with a classifier on the pooled state."""

    base_class = HieraModel
    output_class = HieraForImageClassificationOutput

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.pooler_output


class HieraBackbone(Backbone, HieraPreTrainedModel):
    """Hiera that returns the normalised maps of some stages."""

    base_class = HieraModel
    base_options = {"add_pooling_layer": False, "unrolls": False}

    @property
    def num_features(self) -> list[int]:
        return [self.config.embed_dim, *self.config.widths]

    def build_head(self, config: PretrainedConfig) -> None:
        pairs = zip(self.out_features, self.channels, strict=True)
        self.hidden_states_norms = nn.ModuleDict({name: nn.LayerNorm(width) for name, width in pairs})

    def states(self, outputs: ModelOutput) -> Sequence[Tensor]:
        maps: tuple[Tensor, ...] = outputs.reshaped_hidden_states
        return maps

    def feature_map(self, state: Tensor, stage: str, pixel_values: Tensor) -> Tensor:
        return self.hidden_states_norms[stage](state).permute(0, 3, 1, 2).contiguous()
