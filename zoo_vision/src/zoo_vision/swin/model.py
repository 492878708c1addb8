"""Swin: attention in shifted windows, over maps that halve from stage to stage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForImageClassification, ForMaskedImageModeling
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    ImageClassifierOutput,
    MaskedImageModelingOutput,
    ModelOutput,
)
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, taken, wants
from zoo_vision.nn.norm import ChannelNorm
from zoo_vision.nn.window_bias import Grid, WindowBias
from zoo_vision.nn.windows import merge, partition, shifted_mask
from zoo_vision.swin.config import SwinConfig, SwinSizes


class SwinModelOutput(ModelOutput):
    """States (batch, cells, width), pooled ones, and `reshaped_hidden_states` (batch, width, h, w)."""

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    reshaped_hidden_states: tuple[Tensor, ...] | None = None


class SwinImageClassifierOutput(ImageClassifierOutput):
    """As ImageClassifierOutput, with the states as maps."""

    reshaped_hidden_states: tuple[Tensor, ...] | None = None


class SwinMaskedImageModelingOutput(MaskedImageModelingOutput):
    """As MaskedImageModelingOutput, with the states as maps."""

    reshaped_hidden_states: tuple[Tensor, ...] | None = None


class SwinPreTrainedModel(PreTrainedModel):
    """What all Swin classes share."""

    config_class: type[PretrainedConfig] = SwinConfig
    base_model_prefix = "swin"
    main_input_name = "pixel_values"
    ignored_names = ("*relative_position_index",)


class SwinEmbeddings(nn.Module):
    """Normalised patches, with learned positions where the config wants them."""

    mask_token: nn.Parameter | None
    position_embeddings: nn.Parameter | None

    def __init__(self, config: SwinSizes, *, use_mask_token: bool = False) -> None:
        super().__init__()
        size = config.embed_dim
        self.patch_embeddings = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size
        )
        self.mask_token = nn.Parameter(torch.zeros(1, 1, size)) if use_mask_token else None
        rows, absolute = self.patch_embeddings.num_patches, config.use_absolute_embeddings
        self.position_embeddings = nn.Parameter(torch.zeros(1, rows, size)) if absolute else None
        self.norm = nn.LayerNorm(size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self, pixel_values: Tensor, *, bool_masked_pos: Tensor | None = None, interpolate: bool = False
    ) -> tuple[Tensor, Grid]:
        """(batch, channels, height, width) to (batch, patches, width) and the grid of patches."""
        rows, columns = self.patch_embeddings.patch_size
        height, width = pixel_values.shape[-2:]
        pixel_values = F.pad(pixel_values, (0, -width % columns, 0, -height % rows))
        grid = (pixel_values.shape[-2] // rows, pixel_values.shape[-1] // columns)
        hidden = self.norm(self.patch_embeddings(pixel_values, any_size=True))
        if bool_masked_pos is not None:
            if self.mask_token is None:
                raise ValueError("bool_masked_pos needs a model built with use_mask_token=True")
            hidden = torch.where(bool_masked_pos[..., None].bool(), self.mask_token.to(hidden.dtype), hidden)
        if self.position_embeddings is not None:
            positions = self.position_embeddings
            if interpolate:
                positions = interpolate_positions(positions, self.patch_embeddings.grid, grid, prefix=0)
            hidden = hidden + positions
        return self.dropout(hidden), grid


class SwinAttention(Attention):
    """Attention among the cells of a window, by content and by offset."""

    def __init__(self, config: SwinSizes, size: int, heads: int) -> None:
        super().__init__(
            size, heads, bias=config.qkv_bias, out_bias=True, dropout=config.attention_probs_dropout_prob
        )
        self.relative_position_bias = WindowBias((config.window_size,) * 2, heads)

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        side = int(query.shape[2] ** 0.5)
        return self.relative_position_bias((side, side))


class SwinLayer(ScaledPreNormLayer):
    """Attention in windows, every other time in windows moved by half, and a feed-forward block."""

    hub_names: HubNames = VIT_LAYER | {
        "self_attn": "attention.self",
        "self_attn.q_proj": "attention.self.query",
        "self_attn.k_proj": "attention.self.key",
        "self_attn.v_proj": "attention.self.value",
        "self_attn.relative_position_bias": "attention.self",
    }
    #: whether a smaller map has smaller windows, that stay in place; as released, a backbone's has not
    shrinks: bool = True

    def __init__(self, config: SwinSizes, size: int, heads: int, *, shifted: bool, drop_path: float) -> None:
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=SwinAttention(config, size, heads),
            mlp=MLP(
                size, int(config.mlp_ratio * size), config.hidden_act, dropout=config.hidden_dropout_prob
            ),
            drop_path=drop_path,
        )
        self.window, self.shifted = config.window_size, shifted

    def forward(self, hidden: Tensor, grid: Grid, head_mask: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """(batch, cells, width) of a map of `grid` rows and columns to the same shape."""
        x = self.attend_in_windows(self.input_layernorm(hidden), grid, head_mask)
        hidden = hidden + self.drop_path(x)
        return hidden + self.drop_path(self.mlp(self.post_attention_layernorm(hidden)))

    def attend_in_windows(self, hidden: Tensor, grid: Grid, head_mask: Tensor | None) -> Tensor:
        """The attention's output (batch, cells, width)."""
        window, shift = self.window_and_shift(grid)
        x = hidden.unflatten(1, grid)
        x = F.pad(x, (0, 0, 0, -grid[1] % window, 0, -grid[0] % window))
        rows, columns = x.shape[1:3]
        allowed = None
        if shift:
            x = x.roll((-shift, -shift), dims=(1, 2))
            allowed = shifted_mask(rows, columns, window, shift, x.device).repeat(len(x), 1, 1)
        windows = partition(x, window)
        windows = self.self_attn(windows, AttentionContext(windows, allowed), head_mask=head_mask)
        x = merge(windows, window, rows, columns)
        if shift:
            x = x.roll((shift, shift), dims=(1, 2))
        return x[:, : grid[0], : grid[1]].flatten(1, 2)

    def window_and_shift(self, grid: Grid) -> tuple[int, int]:
        """The side of the windows, and by how much they move; a map that fits into one is one window."""
        if not self.shrinks:
            return self.window, self.window // 2 if self.shifted else 0
        shift = self.window // 2 if self.shifted and min(grid) > self.window else 0
        return min(self.window, *grid), shift


class PatchMerging(nn.Module):
    """Each square of four cells becomes one, of twice the width."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * size)
        self.reduction = nn.Linear(4 * size, 2 * size, bias=False)

    def forward(self, hidden: Tensor, grid: Grid) -> tuple[Tensor, Grid]:
        """(batch, cells, width) to (batch, cells / 4, 2 x width), and its grid."""
        x = hidden.unflatten(1, grid)
        x = F.pad(x, (0, 0, 0, grid[1] % 2, 0, grid[0] % 2))
        corners = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        merged = torch.cat(corners, dim=-1)
        return self.merge(merged.flatten(1, 2)), (merged.shape[1], merged.shape[2])

    def merge(self, cells: Tensor) -> Tensor:
        """(batch, cells, 4 x width) to (batch, cells, 2 x width)."""
        return self.reduction(self.norm(cells))


class SwinStage(nn.Module):
    """Layers of one size, and the merging that ends it."""

    layer_class: type[SwinLayer] = SwinLayer
    merging_class: type[PatchMerging] = PatchMerging
    downsample: PatchMerging | None

    def __init__(self, config: SwinSizes, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        size = config.embed_dim * 2**index
        self.blocks = nn.ModuleList(
            self.layer_class(
                config, size, config.num_heads[index], shifted=bool(i % 2), drop_path=next(rates)
            )
            for i in range(config.depths[index])
        )
        last = index == len(config.depths) - 1
        self.downsample = None if last else self.merging_class(size)

    def forward(self, hidden: Tensor, grid: Grid, head_mask: Tensor | None = None) -> Tensor:
        """(batch, cells, width) to the same shape; merging is left to the caller."""
        for block in self.blocks:
            hidden = block(hidden, grid, head_mask)
        return hidden


def stage_factors(head_mask: Tensor | None, stage: int) -> Tensor | None:
    """Factors (1, heads, 1, 1) of one stage's attention weights, from (heads,) or (stages, heads)."""
    if head_mask is None:
        return None
    return (head_mask if head_mask.dim() == 1 else head_mask[stage])[None, :, None, None]


class SwinModel(SwinPreTrainedModel):
    """Embeddings, stages and a final norm; `pooler_output` is the mean over all cells.

    `before_merging` records each stage's states before its merging, not after.
    """

    hub_names: HubNames = {"stages": "encoder.layers", "norm": "layernorm"}
    stage_class: type[SwinStage] = SwinStage

    def __init__(
        self,
        config: SwinSizes,
        add_pooling_layer: bool = True,
        use_mask_token: bool = False,
        *,
        add_norm: bool = True,
        before_merging: bool = False,
    ) -> None:
        super().__init__(config)
        self.add_pooling_layer, self.before_merging = add_pooling_layer, before_merging
        self.embeddings = self.make_embeddings(config, use_mask_token)
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        self.stages = nn.ModuleList(self.stage_class(config, i, rates) for i in range(len(config.depths)))
        width = config.embed_dim * 2 ** (len(config.depths) - 1)
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps) if add_norm else nn.Identity()
        self.post_init()

    def make_embeddings(self, config: SwinConfig, use_mask_token: bool) -> nn.Module:
        """What makes cells of the input."""
        return SwinEmbeddings(config, use_mask_token=use_mask_token)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        bool_masked_pos: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> SwinModelOutput:
        """(batch, channels, height, width) to states (batch, cells, hidden) and pooled (batch, hidden).

        Args:
            bool_masked_pos: (batch, patches), patches to hide. head_mask: (heads,) or (stages, heads).
            interpolate_pos_encoding: stretch learned positions to the image.
        """
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        hidden, grid = self.embeddings(
            pixel_values, bool_masked_pos=bool_masked_pos, interpolate=interpolate_pos_encoding
        )
        return self.encode(hidden, grid, head_mask)

    def encode(self, hidden: Tensor, grid: Grid, head_mask: Tensor | None = None) -> SwinModelOutput:
        """Cells (batch, cells, width) of a map of `grid` rows and columns through all stages."""
        maps: list[Tensor] = []
        self._note(hidden, grid, maps)
        for i, stage in enumerate(self.stages):
            hidden = stage(hidden, grid, stage_factors(head_mask, i))
            if self.before_merging:
                self._note(hidden, grid, maps)
            if stage.downsample is not None:
                hidden, grid = stage.downsample(hidden, grid)
            if not self.before_merging:
                self._note(hidden, grid, maps)
        hidden = self.norm(hidden)
        return SwinModelOutput(
            last_hidden_state=hidden,
            pooler_output=hidden.mean(1) if self.add_pooling_layer else None,
            attentions=self._last_of_stages(taken(ATTENTIONS)),
            reshaped_hidden_states=tuple(maps) or None,
        )

    def _last_of_stages(self, weights: list[Tensor]) -> tuple[Tensor, ...] | None:
        """As released: the attention weights of each stage's last layer."""
        ends = accumulate(self.config.depths)
        return tuple(weights[end - 1] for end in ends) if weights else None

    @staticmethod
    def _note(hidden: Tensor, grid: Grid, maps: list[Tensor]) -> None:
        record(HIDDEN_STATES, hidden)
        if wants(HIDDEN_STATES):
            maps.append(hidden.transpose(1, 2).unflatten(2, grid))

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings


class SwinForImageClassification(ForImageClassification, SwinPreTrainedModel):
    """Swin with a classifier on the mean over all cells."""

    base_class = SwinModel
    output_class = SwinImageClassifierOutput

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.pooler_output


class SwinForMaskedImageModeling(ForMaskedImageModeling, SwinPreTrainedModel):
    """Swin that reconstructs masked patches."""

    base_class = SwinModel
    base_options = {"add_pooling_layer": False, "use_mask_token": True}
    output_class = SwinMaskedImageModelingOutput

    def patches(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state


class SwinBackbone(Backbone, SwinPreTrainedModel):
    """Swin that returns the normalised maps of some stages."""

    base_class = SwinModel
    base_options = {"add_pooling_layer": False, "add_norm": False, "before_merging": True}

    @property
    def num_features(self) -> list[int]:
        first = self.config.embed_dim
        return [first, *(first * 2**i for i in range(len(self.config.depths)))]

    def build_head(self, config: PretrainedConfig) -> None:
        pairs = zip(self.out_features, self.channels, strict=True)
        self.hidden_states_norms = nn.ModuleDict({n: ChannelNorm(width, 1e-5) for n, width in pairs})
        for layer in self.modules():
            if isinstance(layer, SwinLayer):
                layer.shrinks = False

    def states(self, outputs: ModelOutput) -> Sequence[Tensor]:
        maps: tuple[Tensor, ...] = outputs.reshaped_hidden_states
        return maps

    def feature_map(self, state: Tensor, stage: str, pixel_values: Tensor) -> Tensor:
        return self.hidden_states_norms[stage](state).contiguous()
