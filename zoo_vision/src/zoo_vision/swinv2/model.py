"""Swin V2: norms after the blocks, attention by cosine, biases as a function of the offset."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.patch import pair
from zoo_core.nn.rotary import RotaryTables
from zoo_vision.nn.window_bias import Grid, offset_index
from zoo_vision.swin.model import (
    PatchMerging,
    SwinAttention,
    SwinBackbone,
    SwinForImageClassification,
    SwinForMaskedImageModeling,
    SwinLayer,
    SwinModel,
    SwinPreTrainedModel,
    SwinStage,
)
from zoo_vision.swinv2.config import Swinv2Config


class Swinv2PreTrainedModel(SwinPreTrainedModel):
    """What all Swin V2 classes share."""

    config_class = Swinv2Config
    base_model_prefix = "swinv2"
    ignored_names = ("*relative_position_index", "*relative_coords_table")


class Swinv2Attention(SwinAttention):
    """Attention by the cosine of queries and keys, times a learned factor of each head.

    Args:
        window: rows and columns. trained: the window that offsets are measured by.
    """

    def __init__(self, config: Swinv2Config, size: int, heads: int, window: int, trained: int) -> None:
        super().__init__(config, size, heads)
        del self.relative_position_bias, self.k_proj
        self.k_proj = nn.Linear(size, size, bias=False)
        self.scale, self.window, self.trained = 1.0, window, trained
        self.logit_scale = nn.Parameter(torch.full((heads, 1, 1), math.log(10)))
        self.continuous_position_bias_mlp = nn.Sequential(
            nn.Linear(2, 512), nn.ReLU(), nn.Linear(512, heads, bias=False)
        )

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = super().heads(hidden, rotary)
        factor = self.logit_scale.clamp(max=math.log(100)).exp()
        return F.normalize(query, dim=-1) * factor, F.normalize(key, dim=-1), value

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        side = self.window
        steps = torch.arange(1 - side, side, device=query.device, dtype=query.dtype) / (self.trained - 1)
        steps = steps.sign() * (steps.abs() * 8 + 1).log2() / 3
        offsets = torch.cartesian_prod(steps, steps).view(-1, 2)
        table = 16 * self.continuous_position_bias_mlp(offsets).sigmoid()
        return table[offset_index(side, side, table.device)].permute(2, 0, 1)[None]


class Swinv2Layer(SwinLayer):
    """The blocks of Swin, normalised before they are added; windows are sized for the trained image."""

    def __init__(
        self, config: Swinv2Config, size: int, heads: int, *, shifted: bool, drop_path: float
    ) -> None:
        super().__init__(config, size, heads, shifted=shifted, drop_path=drop_path)
        stage = (size // config.embed_dim).bit_length() - 1
        cells = pair(config.image_size)[0] // pair(config.patch_size)[0] // 2**stage
        self.window = min(config.window_size, cells)
        self.shift = self.window // 2 if shifted and cells > config.window_size else 0
        trained = config.pretrained_window_sizes[stage] or self.window
        self.self_attn = Swinv2Attention(config, size, heads, self.window, trained)

    def window_and_shift(self, grid: Grid) -> tuple[int, int]:
        return self.window, self.shift

    def forward(self, hidden: Tensor, grid: Grid, head_mask: Tensor | None = None) -> Tensor:  # type: ignore[override]
        x = self.attend_in_windows(hidden, grid, head_mask)
        hidden = hidden + self.drop_path(self.input_layernorm(x))
        return hidden + self.drop_path(self.post_attention_layernorm(self.mlp(hidden)))


class Swinv2PatchMerging(PatchMerging):
    """Each square of four cells becomes one, of twice the width, normalised in the end."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.norm = nn.LayerNorm(2 * size)

    def merge(self, cells: Tensor) -> Tensor:
        return self.norm(self.reduction(cells))


class Swinv2Stage(SwinStage):
    """Layers of one size, and the merging that ends it."""

    layer_class = Swinv2Layer
    merging_class = Swinv2PatchMerging


class Swinv2Model(SwinModel, Swinv2PreTrainedModel):
    """Embeddings, stages and a final norm; `pooler_output` is the mean over all cells."""

    stage_class = Swinv2Stage


class Swinv2ForImageClassification(SwinForImageClassification, Swinv2PreTrainedModel):
    """A classifier on the mean over all cells."""

    base_class = Swinv2Model


class Swinv2ForMaskedImageModeling(SwinForMaskedImageModeling, Swinv2PreTrainedModel):
    """Swin V2 that reconstructs masked patches."""

    base_class = Swinv2Model


class Swinv2Backbone(SwinBackbone, Swinv2PreTrainedModel):
    """The maps of some stages, as they are."""

    base_class = Swinv2Model

    def build_head(self, config: Swinv2Config) -> None:  # type: ignore[override]
        """Nothing is added."""

    def feature_map(self, state: Tensor, stage: str, pixel_values: Tensor) -> Tensor:
        return state
