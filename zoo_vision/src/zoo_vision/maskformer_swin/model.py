"""MaskFormer's Swin: each stage's states before its merging, all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, unrecorded
from zoo_vision.maskformer_swin.config import MaskFormerSwinConfig
from zoo_vision.nn.window_bias import Grid
from zoo_vision.swin.model import SwinLayer, SwinModel, SwinPreTrainedModel, SwinStage, stage_factors


class MaskFormerSwinModelOutputWithPooling(ModelOutput):
    """States (batch, cells, width), and pooled ones.

    `hidden_states` begins with the embeddings and holds for each stage a tuple, the states before and
    after each of its layers. `hidden_states_spatial_dimensions` are the rows and columns of each stage's
    map and of the last one. As released, `attentions` are the states after each stage's first layer.
    """

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor | tuple[Tensor, ...], ...] | None = None
    hidden_states_spatial_dimensions: tuple[Grid, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class MaskFormerSwinPreTrainedModel(SwinPreTrainedModel):
    """What all classes of MaskFormer's Swin share."""

    config_class = MaskFormerSwinConfig
    base_model_prefix = "model"


class MaskFormerSwinLayer(SwinLayer):
    """A layer whose windows keep their size and shift in maps of any size."""

    def window_and_shift(self, grid: Grid) -> tuple[int, int]:
        return self.window, self.window // 2 if self.shifted else 0


class MaskFormerSwinStage(SwinStage):
    """Layers with windows of one size."""

    layer_class = MaskFormerSwinLayer


class MaskFormerSwinModel(SwinModel, MaskFormerSwinPreTrainedModel):
    """Embeddings, stages and a final norm; `pooler_output` is the mean over all cells."""

    stage_class = MaskFormerSwinStage

    def __init__(self, config: MaskFormerSwinConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config, add_pooling_layer)

    def forward(  # type: ignore[override]
        self,
        pixel_values: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> MaskFormerSwinModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, cells, hidden); arguments as of `SwinModel`."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        hidden, grid = self.embeddings(pixel_values, interpolate=interpolate_pos_encoding)
        record(HIDDEN_STATES, hidden)
        grids = [grid]
        for i, stage in enumerate(self.stages):
            states = [hidden]
            with unrecorded():
                for block in stage.blocks:
                    states.append(block(states[-1], grid, stage_factors(head_mask, i)))
            record(HIDDEN_STATES, tuple(state for pair in pairwise(states) for state in pair))
            record(ATTENTIONS, states[1])
            hidden = states[-1]
            if stage.downsample is not None:
                hidden, grid = stage.downsample(hidden, grid)
            grids.append(grid)
        hidden = self.norm(hidden)
        return MaskFormerSwinModelOutputWithPooling(
            last_hidden_state=hidden,
            pooler_output=hidden.mean(1) if self.add_pooling_layer else None,
            hidden_states_spatial_dimensions=tuple(grids),
        )


class MaskFormerSwinBackbone(Backbone, MaskFormerSwinPreTrainedModel):
    """The encoder's normalised maps of some stages."""

    base_class = MaskFormerSwinModel
    base_name = "model"

    @property
    def num_features(self) -> list[int]:
        first = self.config.embed_dim
        return [first, *(first * 2**i for i in range(len(self.config.depths)))]

    def build_head(self, config: PretrainedConfig) -> None:
        if "stem" in self.out_features:
            raise ConfigError(
                f"out_features {self.out_features}: this backbone returns stages only; leave out 'stem'"
            )
        self.hidden_states_norms = nn.ModuleList(nn.LayerNorm(width) for width in self.num_features[1:])

    def states(self, outputs: ModelOutput) -> Sequence[Tensor]:
        stem, *stages = outputs.hidden_states
        grids = outputs.hidden_states_spatial_dimensions
        parts = zip(self.hidden_states_norms, stages, grids, strict=False)
        return [stem, *(norm(states[-1]).transpose(1, 2).unflatten(2, grid) for norm, states, grid in parts)]
