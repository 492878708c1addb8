"""Deformable DETR: attention to a few points of maps of several sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutput,
    BaseModelOutputWithCrossAttentions,
    ModelOutput,
    Seq2SeqModelOutput,
)
from zoo_core.modeling.seq2seq import as_output
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.deformable_detr.config import DeformableDetrConfig
from zoo_vision.detr.model import BoxHead, DetrBackboned, DetrLayer, sine_places, sines
from zoo_vision.losses.detr import focal_set_loss
from zoo_vision.losses.matching import Target
from zoo_vision.nn.deformable import DeformableAttention, DeformableEncoderLayer, FeatureLevels


class DeformableDetrDecoderOutput(BaseModelOutputWithCrossAttentions):
    """States, and those and the references after each layer (batch, layers, queries, ...)."""

    intermediate_hidden_states: Tensor | None = None
    intermediate_reference_points: Tensor | None = None


class _Steps(Seq2SeqModelOutput, own_first=True):
    init_reference_points: Tensor | None = None
    last_hidden_state: Tensor
    intermediate_hidden_states: Tensor | None = None
    intermediate_reference_points: Tensor | None = None


class DeformableDetrModelOutput(_Steps):
    """What the queries became, layer by layer (batch, layers, queries, ...).

    References are points (2) or boxes (4), centre and size, as fractions of the image;
    `enc_outputs_coord_logits` (batch, cells, 4) are logits of boxes.
    """

    enc_outputs_class: Tensor | None = None
    enc_outputs_coord_logits: Tensor | None = None


class DeformableDetrObjectDetectionOutput(DeformableDetrModelOutput, own_first=True):
    """`logits` (batch, queries, labels) and `pred_boxes` (batch, queries, 4), and what the model returns."""

    loss: Tensor | None = None
    loss_dict: dict[str, Tensor] | None = None
    logits: Tensor
    pred_boxes: Tensor
    auxiliary_outputs: list[dict[str, Tensor]] | None = None


class DeformableDetrPreTrainedModel(PreTrainedModel):
    """What all Deformable DETR classes share."""

    config_class = DeformableDetrConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"
    ignored_names = ("*num_batches_tracked",)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, DeformableDetrModel):
            nn.init.normal_(module.level_embed)
        elif isinstance(module, DeformableDetrForObjectDetection):
            for named, box in zip(module.class_embed, module.bbox_embed, strict=True):
                nn.init.constant_(named.bias, -math.log(99))  # one in a hundred
                nn.init.zeros_(box.layers[-1].weight)
                nn.init.zeros_(box.layers[-1].bias)
            first = module.bbox_embed[0].layers[-1].bias
            first[2:] = 0.0 if self.config.with_box_refine and self.config.two_stage else -2.0


class DeformableCrossAttention(DeformableAttention):
    """Points of maps in the place of attention to them."""

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        places: Tensor,
        source_places: Tensor | None = None,
        maps: FeatureLevels,
        references: Tensor,
    ) -> Tensor:
        return super().forward(hidden, maps, references, places=places)


class DeformableDetrDecoderLayer(DetrLayer):
    """Self-attention of the queries, points of the maps, a feed-forward block."""

    def __init__(self, config: DeformableDetrConfig) -> None:
        super().__init__(config, decoder=True)
        heads, levels = config.decoder_attention_heads, config.num_feature_levels
        self.cross_attn = DeformableCrossAttention(config.d_model, heads, levels, config.decoder_n_points)


class DeformableDetrEncoder(DeformableDetrPreTrainedModel):
    """Layers over the cells of all maps."""

    def __init__(self, config: DeformableDetrConfig) -> None:
        super().__init__(config)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            DeformableEncoderLayer(
                config.d_model,
                config.encoder_attention_heads,
                config.encoder_ffn_dim,
                levels=config.num_feature_levels,
                points=config.encoder_n_points,
                act=config.activation_function,
                dropout=config.dropout,
                activation_dropout=config.activation_dropout,
            )
            for _ in range(config.encoder_layers)
        )

    def forward(self, maps: FeatureLevels, places: Tensor, ratios: Tensor) -> BaseModelOutput:
        """States (batch, cells, hidden); see `Levels`."""
        references = cell_references(maps, ratios)
        maps = maps.with_states(self.dropout(maps.states))
        for layer in self.layers:
            record(HIDDEN_STATES, maps.states)
            maps = maps.with_states(layer(maps, places=places, references=references))
        record(HIDDEN_STATES, maps.states)
        return BaseModelOutput(last_hidden_state=maps.states)


class DeformableDetrDecoder(DeformableDetrPreTrainedModel):
    """Layers over the queries; with `bbox_embed`, the detector's, each moves the references."""

    bbox_embed: nn.ModuleList | None
    class_embed: nn.ModuleList | None

    def __init__(self, config: DeformableDetrConfig) -> None:
        super().__init__(config)
        self.layers = nn.ModuleList(DeformableDetrDecoderLayer(config) for _ in range(config.decoder_layers))
        self.dropout = nn.Dropout(config.dropout)
        self.bbox_embed = self.class_embed = None

    def forward(
        self, start: Tensor, maps: FeatureLevels, queries: Tensor, references: Tensor, ratios: Tensor
    ) -> DeformableDetrDecoderOutput:
        """States (batch, queries, hidden) from `start`, with positions `queries`."""
        hidden, context = self.dropout(start), AttentionContext(start)
        states, moved = [], []
        for i, layer in enumerate(self.layers):
            record(HIDDEN_STATES, hidden)
            inside = ratios.repeat(1, 1, references.shape[-1] // 2)
            options = {"maps": maps, "references": references[:, :, None] * inside[:, None]}
            hidden = layer(hidden, context, places=queries, **options)
            if self.bbox_embed is not None:
                references = shifted(references, self.bbox_embed[i](hidden)).sigmoid().detach()
            states.append(hidden)
            moved.append(references)
        record(HIDDEN_STATES, hidden)
        return DeformableDetrDecoderOutput(
            last_hidden_state=hidden,
            intermediate_hidden_states=torch.stack(states, 1),
            intermediate_reference_points=torch.stack(moved, 1),
        )


def shifted(references: Tensor, offsets: Tensor) -> Tensor:
    """Logits of boxes: `offsets` (..., 4) from points or boxes."""
    base = references.logit(eps=1e-5)
    return offsets + F.pad(base, (0, 4 - base.shape[-1]))


def cell_references(maps: FeatureLevels, ratios: Tensor) -> Tensor:
    """(batch, cells, levels, 2): where each cell's centre lies in each map; `ratios` as in `Levels`."""
    cells = [rows * columns for rows, columns in maps.grids]
    own = ratios.repeat_interleave(torch.tensor(cells, device=ratios.device), dim=1)
    return (maps.centres() / own)[:, :, None] * ratios[:, None]


def valid_ratios(mask: Tensor) -> Tensor:
    """(batch, 2): the share of columns and of rows of masks (batch, rows, columns) that are no padding."""
    mask = mask.float()
    return torch.stack((mask[:, 0].mean(1), mask[:, :, 0].mean(1)), dim=-1)


class Levels(NamedTuple):
    """Maps of images in several sizes, of one width.

    Args:
        masks: for each level (batch, rows, columns), True inside of the image.
        places: (batch, cells, hidden), positions with the level's own vector.
        ratios: (batch, levels, 2), the share of columns and of rows that are no padding.
    """

    maps: FeatureLevels
    masks: list[Tensor]
    places: Tensor
    ratios: Tensor


class LevelledBackbone(DetrBackboned):
    """A model whose backbone's maps are projected to one width, with smaller ones made from the last."""

    def build_levels(self, config: PretrainedConfig) -> None:
        """The backbone, the projections, and a vector for each level; of one level, the last map is it."""
        count, size = config.num_feature_levels, config.d_model
        self.build_backbone(config, [2, 3, 4] if count > 1 else [4])
        channels = self.backbone.channels if count > 1 else self.backbone.channels[-1:]
        if len(channels) > count:
            raise ConfigError(
                f"num_feature_levels is {count} and the backbone returns {len(channels)} maps; it must be 1, "
                f"for the last map alone, or at least {len(channels)}"
            )
        parts = [nn.Conv2d(width, size, 1) for width in channels]
        for i in range(count - len(channels)):
            parts.append(nn.Conv2d(channels[-1] if i == 0 else size, size, 3, stride=2, padding=1))
        self.input_proj = nn.ModuleList(nn.Sequential(conv, nn.GroupNorm(32, size)) for conv in parts)
        self.level_embed = nn.Parameter(torch.zeros(count, size))

    def see(self, pixel_values: Tensor, pixel_mask: Tensor | None = None) -> Levels:
        """What of images (batch, channels, height, width) the encoder takes; the mask is 0 in padding."""
        if pixel_mask is None:
            pixel_mask = torch.ones_like(pixel_values[:, 0], dtype=torch.long)
        projected = self._project(pixel_values)
        masks = [
            F.interpolate(pixel_mask[:, None].float(), size=x.shape[-2:])[:, 0].bool() for x in projected
        ]
        maps = FeatureLevels.of(projected, torch.cat([mask.flatten(1) for mask in masks], dim=1))
        places = [self._places(mask) + own for mask, own in zip(masks, self.level_embed, strict=True)]
        ratios = torch.stack([valid_ratios(mask) for mask in masks], dim=1)
        return Levels(maps, masks, torch.cat(places, dim=1).to(maps.states), ratios.to(maps.states))

    def _project(self, pixel_values: Tensor) -> list[Tensor]:
        image = self.backbone(pixel_values, output_hidden_states=False, output_attentions=False)
        given = image.feature_maps if self.config.num_feature_levels > 1 else image.feature_maps[-1:]
        found: list[Tensor] = []
        for i, project in enumerate(self.input_proj):
            found.append(project(given[i] if i < len(given) else given[-1] if i == len(given) else found[-1]))
        return found

    def _places(self, mask: Tensor) -> Tensor:
        return self.sine_places(mask) if self.learned_places is None else self.learned_places(mask)

    def sine_places(self, mask: Tensor) -> Tensor:
        """Positions (batch, cells, hidden) of a map whose mask is (batch, rows, columns)."""
        return sine_places(mask, self.config.d_model // 2, start=0.5)


class DeformableDetrModel(LevelledBackbone, DeformableDetrPreTrainedModel):
    """Backbone, encoder and decoder."""

    output_class: type[DeformableDetrModelOutput] = DeformableDetrModelOutput

    def __init__(self, config: DeformableDetrConfig) -> None:
        super().__init__(config)
        size = config.d_model
        self.build_levels(config)
        self.encoder, self.decoder = DeformableDetrEncoder(config), DeformableDetrDecoder(config)
        if config.two_stage:
            self.enc_output, self.enc_output_norm = nn.Linear(size, size), nn.LayerNorm(size)
            self.pos_trans, self.pos_trans_norm = nn.Linear(2 * size, 2 * size), nn.LayerNorm(2 * size)
        else:
            self.query_position_embeddings = nn.Embedding(config.num_queries, 2 * size)
            self.reference_points = nn.Linear(size, 2)
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
    ) -> DeformableDetrModelOutput:
        """Images to the states (batch, queries, hidden) of the queries.

        Args:
            pixel_values: (batch, channels, height, width). pixel_mask: (batch, height, width), 0 in padding.
            encoder_outputs: of an earlier call.
        """
        maps, masks, places, ratios = self.see(pixel_values, pixel_mask)
        if encoder_outputs is None:
            encoder_outputs = self.encoder(maps, places, ratios)
        encoded = as_output(encoder_outputs)
        maps = maps.with_states(encoded.last_hidden_state)
        start, queries, references, found = (
            self._two_stage(maps, masks) if self.config.two_stage else self._queries(maps)
        )
        decoded = self.decoder(start, maps, queries, references, ratios)
        return self.output_class.join(
            encoded,
            decoded,
            init_reference_points=references,
            intermediate_hidden_states=decoded.intermediate_hidden_states,
            intermediate_reference_points=decoded.intermediate_reference_points,
            **found,
        )

    def _queries(self, maps: FeatureLevels) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        """States to start from, positions, references; learned."""
        table = self.query_position_embeddings.weight.expand(len(maps.states), -1, -1)
        queries, start = table.chunk(2, dim=-1)
        return start, queries, self.reference_points(queries).sigmoid(), {}

    def _two_stage(
        self, maps: FeatureLevels, masks: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, dict[str, Tensor]]:
        """As `_queries`, made from the cells with the best scores for any object."""
        if self.decoder.class_embed is None or self.decoder.bbox_embed is None:
            head = type(self).__name__.replace("Model", "ForObjectDetection")
            raise ValueError(f"two_stage needs the heads of {head}")
        anchors, valid = cell_proposals(masks, maps)
        memory = self.enc_output_norm(self.enc_output(maps.states.masked_fill(~valid, 0.0)))
        scores = self.decoder.class_embed[-1](memory)
        boxes = self.decoder.bbox_embed[-1](memory) + anchors
        best = self.best_cells(scores[..., 0], boxes, maps)[..., None]
        references = boxes.take_along_dim(best, 1).detach().sigmoid()
        waves = sines(references * 2 * math.pi, self.config.d_model // 2).flatten(-2).to(memory)
        queries, start = self.pos_trans_norm(self.pos_trans(waves)).chunk(2, dim=-1)
        found = {"enc_outputs_class": scores, "enc_outputs_coord_logits": boxes}
        return self.first_states(start, memory.take_along_dim(best, 1)), queries, references, found

    def best_cells(self, scores: Tensor, boxes: Tensor, maps: FeatureLevels) -> Tensor:
        """(batch, proposals): the cells that queries start from.

        Args:
            scores: (batch, cells). boxes: (batch, cells, 4), logits of centre and size.
        """
        return scores.topk(self.config.two_stage_num_proposals, dim=1).indices

    def first_states(self, start: Tensor, cells: Tensor) -> Tensor:
        """States (batch, proposals, hidden) to start from: of the boxes; `cells` are what lies there."""
        return start


def cell_proposals(masks: Sequence[Tensor], maps: FeatureLevels) -> tuple[Tensor, Tensor]:
    """(batch, cells, 4): logits of a box around each cell, infinite where it does not count; where it does.

    Boxes are 0.05 wide in the first map and twice as wide in each next.
    """
    boxes = []
    for level, mask in enumerate(masks):
        sizes = valid_ratios(mask)[:, None]
        centres = FeatureLevels.of([mask[:1, None].float()]).centres() / sizes
        boxes.append(torch.cat((centres, torch.full_like(centres, 0.05 * 2**level)), dim=-1))
    joined = torch.cat(boxes, dim=1)
    valid = ((joined > 0.01) & (joined < 0.99)).all(-1, keepdim=True)
    if maps.inside is not None:
        valid = valid & maps.inside[..., None]
    return joined.logit().masked_fill(~valid, torch.inf).to(maps.states.dtype), valid


class DeformableDetrForObjectDetection(DeformableDetrPreTrainedModel):
    """Deformable DETR with the scores and the box of each query."""

    model_class: type[DeformableDetrModel] = DeformableDetrModel
    output_class: type[DeformableDetrObjectDetectionOutput] = DeformableDetrObjectDetectionOutput
    class_embed: Any
    bbox_embed: Any

    def __init__(self, config: DeformableDetrConfig) -> None:
        super().__init__(config)
        size, refine = config.d_model, config.with_box_refine
        self.model = self.model_class(config)
        count = config.decoder_layers + (1 if config.two_stage else 0)
        named = [nn.Linear(size, config.num_labels) for _ in range(count if refine else 1)]
        boxes = [BoxHead(size, size, 4, 3) for _ in range(count if refine else 1)]
        self.class_embed = nn.ModuleList(named if refine else named * count)
        self.bbox_embed = nn.ModuleList(boxes if refine else boxes * count)
        if refine:
            self.model.decoder.bbox_embed = self.bbox_embed
        if config.two_stage:
            self.model.decoder.class_embed = self.class_embed
        self.post_init()

    def ties(self) -> dict[str, str]:
        """One head for all layers, or heads that files also hold under the decoder's name."""
        found = {}
        for part, heads in (("class_embed", self.class_embed), ("bbox_embed", self.bbox_embed)):
            for name, _ in heads.named_parameters(remove_duplicate=False):
                number, rest = name.split(".", 1)
                if not self.config.with_box_refine and number != "0":
                    found[f"{part}.{name}"] = f"{part}.0.{rest}"
                if getattr(self.model.decoder, part) is not None:
                    found[f"model.decoder.{part}.{name}"] = f"{part}.{name}"
        return found

    def forward(
        self,
        pixel_values: Tensor,
        pixel_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        *,
        labels: Sequence[Target] | None = None,
    ) -> DeformableDetrObjectDetectionOutput:
        """See `DeformableDetrModel`; `labels` has each image's `class_labels` (objects,) and `boxes`
        (objects, 4)."""
        outputs = self.model(pixel_values, pixel_mask, encoder_outputs)
        states, moved = outputs.intermediate_hidden_states, outputs.intermediate_reference_points
        before = [outputs.init_reference_points, *moved.unbind(1)[:-1]]
        *earlier, last = [
            {
                "logits": self.class_embed[i](state),
                "pred_boxes": shifted(reference, self.bbox_embed[i](state)).sigmoid(),
            }
            for i, (state, reference) in enumerate(zip(states.unbind(1), before, strict=True))
        ]
        auxiliary = earlier if self.config.auxiliary_loss else []
        loss = parts = None
        if labels is not None:
            loss, parts = self.losses(last, labels, auxiliary, outputs)
        return self.output_class.carry(
            outputs,
            loss=loss,
            loss_dict=parts,
            auxiliary_outputs=(auxiliary or None) if labels is not None else None,
            **last,
        )

    def losses(
        self,
        last: dict[str, Tensor],
        labels: Sequence[Target],
        auxiliary: Sequence[dict[str, Tensor]],
        outputs: ModelOutput,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum and its parts."""
        return focal_set_loss(last, labels, self.config, auxiliary)
