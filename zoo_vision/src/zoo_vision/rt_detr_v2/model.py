"""RT-DETRv2: RT-DETR whose decoder scales its offsets, and on request samples whole cells."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_vision.nn.deformable import DeformableAttention, FeatureLevels
from zoo_vision.rt_detr.model import (
    RTDetrDecoder,
    RTDetrDecoderLayer,
    RTDetrForObjectDetection,
    RTDetrModel,
)
from zoo_vision.rt_detr_v2.config import RTDetrV2Config


class ScaledDeformableAttention(DeformableAttention):
    """Offsets have a scale for each point, `n_points_scale`, and one for all."""

    weights_by_level = False
    n_points_scale: Tensor

    def __init__(self, config: PretrainedConfig) -> None:
        levels, points = config.decoder_n_levels, config.decoder_n_points
        super().__init__(config.d_model, config.decoder_attention_heads, levels, points)
        self.offset_scale, self.whole_cells = config.decoder_offset_scale, config.decoder_method == "discrete"
        self.register_buffer("n_points_scale", torch.full((levels * points,), 1 / points))

    def locate(self, references: Tensor, offsets: Tensor, maps: FeatureLevels) -> Tensor:
        if references.shape[-1] == 2:
            return super().locate(references, offsets, maps)
        scale = self.n_points_scale.to(offsets).view(self.levels, self.points, 1) * self.offset_scale
        return references[..., :2] + offsets * scale * references[..., 2:]

    def sample(self, values: Sequence[Tensor], places: Sequence[Tensor]) -> Tensor:
        return sample_cells(values, places) if self.whole_cells else super().sample(values, places)


def sample_cells(values: Sequence[Tensor], places: Sequence[Tensor]) -> Tensor:
    """As `sample_maps`, of the cell whose corner is nearest; the border's beyond it."""
    taken = []
    for value, place in zip(values, places, strict=True):
        rows, columns = value.shape[-2:]
        size = torch.tensor((columns, rows), device=place.device)
        x, y = (place * size + 0.5).long().clamp(min=torch.zeros_like(size), max=size - 1).unbind(-1)
        index = (y * columns + x).transpose(1, 2)  # (batch, heads, queries, points)
        found = value.flatten(3).take_along_dim(index.flatten(2)[:, :, None], 3)
        taken.append(found.unflatten(3, index.shape[2:]))
    return torch.cat(taken, dim=-1)


class RTDetrV2DecoderLayer(RTDetrDecoderLayer):
    """A layer with scaled offsets."""

    def make_cross_attention(self, config: PretrainedConfig, index: int) -> nn.Module:
        return ScaledDeformableAttention(config)


class RTDetrV2Decoder(RTDetrDecoder):
    """Layers with scaled offsets."""

    config_class = RTDetrV2Config
    layer_class = RTDetrV2DecoderLayer


class RTDetrV2Model(RTDetrModel):
    """Backbone, encoder and decoder."""

    config_class = RTDetrV2Config
    decoder_class = RTDetrV2Decoder


class RTDetrV2ForObjectDetection(RTDetrForObjectDetection):
    """RT-DETRv2 with the scores and the box of each query."""

    config_class = RTDetrV2Config
    base_class = RTDetrV2Model
