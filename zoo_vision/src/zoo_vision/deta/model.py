"""DETA: Deformable DETR whose queries start from cells that survive non-maximum suppression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.outputs import ModelOutput
from zoo_vision.deformable_detr.model import (
    DeformableDetrForObjectDetection,
    DeformableDetrModel,
    DeformableDetrModelOutput,
    DeformableDetrObjectDetectionOutput,
    cell_proposals,
)
from zoo_vision.deta.config import DetaConfig
from zoo_vision.losses.boxes import corners
from zoo_vision.losses.detr import focal_set_losses, shared_weights, weighted
from zoo_vision.losses.matching import Target
from zoo_vision.losses.overlap import OverlapRule, assign_by_overlap
from zoo_vision.nn.deformable import FeatureLevels
from zoo_vision.processing.boxes import suppress

CELLS = 1000
"""Cells of a level that suppression looks at."""
OVERLAP = 0.9
"""Cells are dropped that overlap a better one of their level by more than this."""


class DetaModelOutput(DeformableDetrModelOutput):
    """As Deformable DETR's; `output_proposals` (batch, cells, 4) are logits of the boxes around cells."""

    output_proposals: Tensor | None = None


class DetaObjectDetectionOutput(DeformableDetrObjectDetectionOutput):
    """As Deformable DETR's, with `output_proposals`."""

    output_proposals: Tensor | None = None


class DetaModel(DeformableDetrModel):
    """Backbone, encoder and decoder."""

    config_class = DetaConfig
    output_class = DetaModelOutput
    config: DetaConfig

    def __init__(self, config: DetaConfig) -> None:
        super().__init__(config)
        if config.two_stage:
            size = config.d_model
            self.pix_trans, self.pix_trans_norm = nn.Linear(size, size), nn.LayerNorm(size)
        self.post_init()

    @property
    def hub_names(self) -> HubNames:
        """The backbone's level in files."""
        return {"backbone": "backbone.model", "learned_places": "backbone.position_embedding"}

    def _two_stage(
        self,
        maps: FeatureLevels,
        masks: list[Tensor],  # type: ignore[override]
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        *stage, found = super()._two_stage(maps, masks)
        anchors, _ = cell_proposals(masks, maps)
        return *stage, found | {"output_proposals": anchors}

    def best_cells(self, scores: Tensor, boxes: Tensor, maps: FeatureLevels) -> Tensor:
        if not self.config.assign_first_stage:
            return super().best_cells(scores, boxes, maps)
        areas = corners(boxes.detach().sigmoid().float()).clamp(0, 1)
        pairs = zip(scores.detach(), areas, strict=True)
        return torch.stack([self.surviving_cells(own, area, maps.grids) for own, area in pairs])

    def surviving_cells(self, scores: Tensor, areas: Tensor, grids: tuple[tuple[int, int], ...]) -> Tensor:
        """(proposals,): cells of one image, as many of each level as there are, the best first.

        Args:
            scores: (cells,). areas: (cells, 4), corners.
        """
        count, levels = self.config.two_stage_num_proposals, len(grids)
        kept, start = [], 0
        for rows, columns in grids:
            own = scores[start : start + rows * columns]
            best = start + own.topk(min(CELLS, len(own))).indices
            kept.append(best[suppress(areas[best], scores[best], OVERLAP)])
            start += rows * columns
        level = torch.cat([torch.full_like(own, i) for i, own in enumerate(kept)])
        cells = torch.cat(kept)
        if len(cells) < count:
            return scores.topk(count).indices
        order = scores[cells].argsort(descending=True, stable=True)
        level, cells = level[order], cells[order]
        ranks = (level[:, None] == torch.arange(levels, device=level.device)).cumsum(0)
        chosen = ranks.take_along_dim(level[:, None], 1)[:, 0] <= count // levels
        spare = (~chosen).nonzero()[: count - int(chosen.sum()), 0]
        chosen[spare] = True
        return cells[chosen]

    def first_states(self, start: Tensor, cells: Tensor) -> Tensor:
        return start + self.pix_trans_norm(self.pix_trans(cells.detach()))


class DetaForObjectDetection(DeformableDetrForObjectDetection):
    """DETA with the scores and the box of each query."""

    config_class = DetaConfig
    model_class = DetaModel
    output_class = DetaObjectDetectionOutput

    def ties(self) -> dict[str, str]:
        """As Deformable DETR's, but files hold the heads under the decoder's name where it has them."""
        found = {}
        for alias, owner in super().ties().items():
            found |= {owner: alias} if alias.startswith("model.decoder.") else {alias: owner}
        return found

    def losses(
        self,
        last: dict[str, Tensor],
        labels: Sequence[Target],
        auxiliary: Sequence[dict[str, Tensor]],
        outputs: ModelOutput,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """As Deformable DETR's, of several queries for each object, and for information, or with
        `auxiliary_loss`, those of the cells, which need to tell objects from nothing alone (`_enc`)."""
        config: Any = self.config
        pairs = None
        if config.assign_second_stage:
            rule = OverlapRule(0.6, int(0.25 * config.num_queries))
            pairs = assign_by_overlap(outputs.init_reference_points, labels, rule)
        weights = {"loss_ce": 1.0, **shared_weights(config)}
        loss, parts = weighted(
            last, auxiliary, lambda found: focal_set_losses(found, labels, config, pairs), weights
        )
        if config.two_stage:
            any_object = [{**one, "class_labels": torch.zeros_like(one["class_labels"])} for one in labels]
            cells = {
                "logits": outputs.enc_outputs_class,
                "pred_boxes": outputs.enc_outputs_coord_logits.sigmoid(),
            }
            own = None
            if config.assign_first_stage:
                own = assign_by_overlap(outputs.output_proposals.sigmoid(), any_object, OverlapRule(0.7, 128))
            more, found = weighted(
                cells, (), lambda found: focal_set_losses(found, any_object, config, own), weights
            )
            parts |= {f"{name}_enc": value for name, value in found.items()}
            loss = loss + more if config.auxiliary_loss else loss
        return loss, parts
