"""OmDet-Turbo: a detector whose classes, and whose task, are given in words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, CROSS_ATTENTIONS, HIDDEN_STATES, record, taken
from zoo_multimodal.omdet_turbo.config import OmDetTurboConfig
from zoo_multimodal.omdet_turbo.encoder import (
    PROJECTIONS,
    OmDetTurboHybridEncoder,
    OmDetTurboVisionBackbone,
)
from zoo_multimodal.omdet_turbo.language import OmDetTurboLanguageBackbone
from zoo_vision.detr.model import BoxHead, PlacedAttention
from zoo_vision.nn.deformable import DeformableAttention, FeatureLevels
from zoo_vision.rt_detr.model import cell_anchors, projection


class OmDetTurboDecoderOutput(ModelOutput):
    """Queries (batch, queries, hidden), and boxes and scores of the last layer and of the encoder."""

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[tuple[Tensor, ...], ...] | None = None
    decoder_coords: Tensor
    decoder_classes: Tensor
    encoder_coord_logits: Tensor
    encoder_class_logits: Tensor
    init_reference_points: Tensor
    intermediate_reference_points: Tensor


class OmDetTurboObjectDetectionOutput(ModelOutput):
    """`decoder_coord_logits` (batch, queries, 4) and `decoder_class_logits` (batch, queries, classes).

    The former are boxes in spite of their name: centre and size as fractions of the image. The encoder's are
    those from which the queries start; `init_reference_points` (1, cells, 4) are logits of boxes around all
    cells. `decoder_attentions`: among queries and task tokens, and to points of the maps.
    """

    loss: Tensor | None = None
    decoder_coord_logits: Tensor
    decoder_class_logits: Tensor
    init_reference_points: Tensor
    intermediate_reference_points: Tensor
    encoder_coord_logits: Tensor
    encoder_class_logits: Tensor
    encoder_extracted_states: tuple[Tensor, ...]
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[tuple[Tensor, ...], ...] | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    encoder_attentions: tuple[tuple[Tensor, ...], ...] | None = None
    classes_structure: Tensor


class OmDetTurboPreTrainedModel(PreTrainedModel):
    """What all OmDet-Turbo classes share."""

    config_class = OmDetTurboConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"
    ignored_names = ("*num_batches_tracked", "*relative_position_index", "*position_ids")


class OmDetTurboDecoderLayer(PostNormLayer):
    """Queries and task tokens look at each other; queries at points of the maps; a feed-forward block."""

    hub_names: HubNames = {
        **{f"self_attn.{ours}": f"self_attn.{theirs}" for ours, theirs in PROJECTIONS.items()},
        "self_attn_layer_norm": "norm1",
        "cross_attn_layer_norm": "norm2",
        "mlp.fc1": "linear1",
        "mlp.fc2": "linear2",
        "final_layer_norm": "norm3",
    }

    def __init__(self, config: OmDetTurboConfig) -> None:
        size, heads, dropout = config.decoder_hidden_dim, config.decoder_num_heads, config.decoder_dropout
        inner, act = config.decoder_dim_feedforward, config.decoder_activation
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=PlacedAttention(size, heads, dropout=dropout),
            cross_attn=DeformableAttention(size, heads, config.num_feature_levels, config.decoder_num_points),
            mlp=MLP(size, inner, act, activation_dropout=dropout),
            dropout=dropout,
        )

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        task: Tensor,
        maps: FeatureLevels,
        boxes: Tensor,
        places: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """New queries (batch, queries, hidden) and task tokens (batch, sequence, hidden)."""
        assert self.cross_attn is not None and self.cross_attn_layer_norm is not None
        joined = torch.cat((hidden, task), dim=1)
        padded = F.pad(places, (0, 0, 0, task.shape[1]))
        joined = joined + self.dropout(self.self_attn(joined, context, places=padded))
        hidden, task = self.self_attn_layer_norm(joined).split((hidden.shape[1], task.shape[1]), dim=1)
        seen = self.cross_attn(hidden, maps, boxes[:, :, None], places=places)
        hidden = self.cross_attn_layer_norm(hidden + self.dropout(seen))
        return self.final_layer_norm(hidden + self.dropout(self.mlp(hidden))), task


class TaskEncoder(nn.Module):
    """A feed-forward block over the tokens of the task."""

    hub_names: HubNames = {"mlp.fc1": "mlp.linear1", "mlp.fc2": "mlp.linear2", "norm": "res1.norm1"}

    def __init__(self, config: OmDetTurboConfig) -> None:
        super().__init__()
        size, inner, dropout = config.class_embed_dim, config.task_encoder_hidden_dim, config.decoder_dropout
        self.mlp = MLP(size, inner, config.decoder_activation, activation_dropout=dropout)
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x + self.dropout(self.mlp(x)))


class OmDetTurboDecoder(OmDetTurboPreTrainedModel):
    """Queries from the encoder's best cells, whose boxes each layer moves."""

    tgt_embed: nn.Embedding | None

    def __init__(self, config: OmDetTurboConfig) -> None:
        super().__init__(config)
        size, width, eps = config.decoder_hidden_dim, config.class_embed_dim, config.layer_norm_eps
        steps = range(config.decoder_num_layers)
        self.channel_projection_layers = nn.ModuleList(
            projection(channels, size) for channels in config.vision_features_channels
        )
        self.task_encoder = TaskEncoder(config)
        self.task_project = nn.Linear(width, size) if width != size else nn.Identity()
        self.layers = nn.ModuleList(OmDetTurboDecoderLayer(config) for _ in steps)
        self.query_position_head = BoxHead(4, 2 * size, size, 2)
        self.tgt_embed = nn.Embedding(config.num_queries, size) if config.learn_initial_query else None
        self.encoder_vision_features = nn.Sequential(nn.Linear(size, size), nn.LayerNorm(size, eps=eps))
        self.encoder_class_head = nn.Linear(width, size)
        self.encoder_bbox_head = BoxHead(size, size, 4, 3)
        self.decoder_class_head = nn.ModuleList(nn.Linear(width, size) for _ in steps)
        self.decoder_bbox_head = nn.ModuleList(BoxHead(size, size, 4, 3) for _ in steps)

    def forward(
        self,
        maps: Sequence[Tensor],
        classes: Tensor,
        task: Tensor,
        task_mask: Tensor,
    ) -> OmDetTurboDecoderOutput:
        """Boxes, and how well classes fit them.

        Args:
            maps: (batch, width, rows, columns), the finest first. classes: (batch, classes, width).
            task: (batch, sequence, width). task_mask: (batch, sequence), 0 in padding.
        """
        pairs = zip(self.channel_projection_layers, maps, strict=True)
        levels = FeatureLevels.of([project(x) for project, x in pairs])
        anchors, valid = cell_anchors(levels)
        memory = self.encoder_vision_features(levels.states * valid)
        scores = self.similarity(memory, self.encoder_class_head(classes))
        found = self.encoder_bbox_head(memory) + anchors
        # as released, rows of zeros that fill up the classes of an image count as classes here
        best = scores.amax(-1).topk(self.config.num_queries, dim=1).indices[..., None]
        logits = found.take_along_dim(best, 1)
        hidden = memory.take_along_dim(best, 1).detach()
        if self.tgt_embed is not None:
            hidden = self.tgt_embed.weight.expand(len(hidden), -1, -1)
        boxes = logits.detach().sigmoid()
        task = self.task_project(self.task_encoder(task))
        context = AttentionContext(
            torch.cat((hidden, task), dim=1), F.pad(task_mask.bool(), (hidden.shape[1], 0), value=True)
        )
        for layer, head in zip(self.layers, self.decoder_bbox_head, strict=True):
            record(HIDDEN_STATES, hidden)
            start, places = boxes, self.query_position_head(boxes)
            hidden, task = layer(hidden, context, task=task, maps=levels, boxes=boxes, places=places)
            moved = (head(hidden) + start.logit(eps=1e-5)).sigmoid()
            boxes = moved.detach()
        record(HIDDEN_STATES, hidden)
        weights = (tuple(taken(ATTENTIONS)), tuple(taken(CROSS_ATTENTIONS)))
        return OmDetTurboDecoderOutput(
            last_hidden_state=hidden,
            attentions=weights if weights[0] else None,
            decoder_coords=moved[None],
            decoder_classes=self.similarity(hidden, self.decoder_class_head[-1](classes))[None],
            encoder_coord_logits=logits.sigmoid(),
            encoder_class_logits=scores.take_along_dim(best, 1),
            init_reference_points=anchors,
            intermediate_reference_points=start,
        )

    def similarity(self, states: Tensor, classes: Tensor) -> Tensor:
        """(batch, states, classes) of states and classes of one width."""
        if self.config.class_distance_type == "dot":
            return states @ classes.transpose(1, 2)
        return F.normalize(states, dim=-1) @ F.normalize(classes, dim=-1).transpose(1, 2) / 0.07


class OmDetTurboForObjectDetection(OmDetTurboPreTrainedModel):
    """OmDet-Turbo with boxes, and how well they fit each class."""

    def __init__(self, config: OmDetTurboConfig) -> None:
        super().__init__(config)
        self.vision_backbone = OmDetTurboVisionBackbone(config)
        self.language_backbone = OmDetTurboLanguageBackbone(config)
        self.encoder = OmDetTurboHybridEncoder(config)
        self.decoder = OmDetTurboDecoder(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.language_backbone.model.get_input_embeddings()

    def forward(
        self,
        pixel_values: Tensor,
        classes_input_ids: Tensor,
        classes_attention_mask: Tensor,
        tasks_input_ids: Tensor,
        tasks_attention_mask: Tensor,
        classes_structure: Tensor,
        labels: Any = None,
        pixel_mask: Tensor | None = None,
    ) -> OmDetTurboObjectDetectionOutput:
        """Images (batch, channels, height, width) to boxes of what is named for each.

        Args:
            classes_input_ids: (classes of all images, sequence). classes_structure: (batch,), how many of
                them are whose. classes_attention_mask: taken for the sake of processors; texts end by
                themselves.
            tasks_input_ids, tasks_attention_mask: (batch, sequence), what to do, in words.
            pixel_mask: taken for the sake of processors that make one; OmDet-Turbo does not use it.
        """
        if labels is not None:
            raise NotImplementedError("OmDet-Turbo has no published loss; leave labels out")
        if int(classes_structure.sum()) != len(classes_input_ids):
            raise ValueError(
                f"classes_structure names {int(classes_structure.sum())} classes and there are "
                f"{len(classes_input_ids)} rows of classes_input_ids"
            )
        if not len(pixel_values) == len(tasks_input_ids) == len(classes_structure):
            raise ValueError(
                f"{len(pixel_values)} images came with {len(tasks_input_ids)} tasks and classes for "
                f"{len(classes_structure)}; give one of each for each image"
            )
        maps = self.vision_backbone(pixel_values)
        classes, task, task_mask = self.language_backbone(
            classes_input_ids, tasks_input_ids, tasks_attention_mask, classes_structure
        )
        encoded = self.encoder(maps)
        decoded = self.decoder(encoded.extracted_states, classes, task, task_mask)
        return OmDetTurboObjectDetectionOutput(
            decoder_coord_logits=decoded.decoder_coords[-1],
            decoder_class_logits=decoded.decoder_classes[-1],
            init_reference_points=decoded.init_reference_points,
            intermediate_reference_points=decoded.intermediate_reference_points,
            encoder_coord_logits=decoded.encoder_coord_logits,
            encoder_class_logits=decoded.encoder_class_logits,
            encoder_extracted_states=encoded.extracted_states,
            decoder_hidden_states=decoded.hidden_states,
            decoder_attentions=decoded.attentions,
            encoder_hidden_states=encoded.hidden_states,
            encoder_attentions=encoded.attentions,
            classes_structure=classes_structure,
        )
