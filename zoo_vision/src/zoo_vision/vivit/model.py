"""ViViT: a ViT over blocks of video and a class token."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.patch import interpolate_positions
from zoo_core.nn.stack import run_layers
from zoo_vision.nn.tubes import TubeEmbedding
from zoo_vision.vit.model import ViTLayer
from zoo_vision.vivit.config import VivitConfig


class VivitPreTrainedModel(PreTrainedModel):
    """What all ViViT classes share."""

    config_class = VivitConfig
    base_model_prefix = "vivit"
    main_input_name = "pixel_values"


class VivitEmbeddings(nn.Module):
    """A class token and blocks of video, with learned positions."""

    def __init__(self, config: VivitConfig) -> None:
        super().__init__()
        size, tube = config.hidden_size, cast(tuple[int, int, int], tuple(config.tubelet_size))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.patch_embeddings = TubeEmbedding(
            config.num_frames, config.image_size, tube, config.num_channels, size
        )
        self.position_embeddings = nn.Parameter(torch.zeros(1, 1 + self.patch_embeddings.num_patches, size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor, *, interpolate: bool) -> Tensor:
        """(batch, frames, channels, height, width) to (batch, 1 + patches, hidden)."""
        hidden = self.patch_embeddings(pixel_values, any_size=interpolate)
        hidden = torch.cat((self.cls_token.expand(len(hidden), -1, -1), hidden), dim=1)
        positions = self.position_embeddings
        if interpolate:
            times, *grid = self.patch_embeddings.grid
            _, rows, columns = self.patch_embeddings.tube
            new_grid = (pixel_values.shape[-2] // rows, pixel_values.shape[-1] // columns)
            frames = positions[:, 1:].unflatten(1, (times, -1))[0]
            stretched = [
                interpolate_positions(f[None], (grid[0], grid[1]), new_grid, prefix=0) for f in frames
            ]
            positions = torch.cat((positions[:, :1], *stretched), dim=1)
        return self.dropout(hidden + positions)


class VivitPooler(nn.Module):
    """Dense layer and tanh on the class token."""

    def __init__(self, config: VivitConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        return torch.tanh(self.dense(hidden[:, 0]))


class VivitModel(VivitPreTrainedModel):
    """Embeddings, layers, a final norm, and unless switched off the pooler."""

    hub_names = VIT

    def __init__(self, config: VivitConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = VivitEmbeddings(config)
        self.layers = nn.ModuleList(ViTLayer(cast(Any, config)) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.pooler = VivitPooler(config) if add_pooling_layer else None
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> BaseModelOutputWithPooling:
        """(batch, frames, channels, height, width) to states (batch, 1 + patches, hidden) and pooled.

        `interpolate_pos_encoding` takes frames of other sizes, with stretched positions.
        """
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, frames, channels, height, width)")
        hidden = self.embeddings(pixel_values, interpolate=interpolate_pos_encoding)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), head_mask=head_mask)
        hidden = self.norm(hidden)
        pooled = None if self.pooler is None else self.pooler(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings


class VivitForVideoClassification(ForImageClassification, VivitPreTrainedModel):
    """ViViT with a classifier on the class token."""

    base_class = VivitModel
    base_options = {"add_pooling_layer": False}
