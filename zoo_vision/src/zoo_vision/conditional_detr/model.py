"""Conditional DETR: queries look around points of the image that they learn."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.conditional_detr.config import ConditionalDetrConfig
from zoo_vision.detr.model import (
    BoxHead,
    DetrDecoder,
    DetrDecoderOutput,
    DetrForObjectDetection,
    DetrLayer,
    DetrModel,
    DetrModelOutput,
    DetrPreTrainedModel,
    sines,
)
from zoo_vision.losses.detr import focal_set_loss
from zoo_vision.losses.matching import Target


class ConditionalDetrModelOutput(DetrModelOutput):
    """As DetrModelOutput, with `reference_points` (queries, batch, 2), fractions of the image."""

    reference_points: Tensor | None = None


class ConditionalDetrDecoderOutput(DetrDecoderOutput):
    """As DetrDecoderOutput, with `reference_points`."""

    reference_points: Tensor | None = None


class ConditionalDetrPreTrainedModel(DetrPreTrainedModel):
    """What all Conditional DETR classes share."""

    config_class = ConditionalDetrConfig


class ConditionalAttention(Attention):
    """Attention in which contents and positions have projections of their own.

    Across, a head compares contents and, apart from them, positions: of the pixels and of the queries'
    points. Queries have their learned positions added only in the first layer.
    """

    q_places: nn.Module | None

    def __init__(
        self, size: int, heads: int, *, dropout: float, cross: bool = False, first: bool = True
    ) -> None:
        super().__init__(size, heads, dropout=dropout, cross=cross)
        self.q_places = Linear(size, size) if first or not cross else None
        self.k_places = Linear(size, size)
        if cross:
            self.q_points = Linear(size, size)
            self.scale = (2 * self.head_dim) ** -0.5

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        places: Tensor,
        source_places: Tensor | None = None,
        points: Tensor | None = None,
    ) -> Tensor:
        """`points` (batch, queries, hidden) are the sines of the queries' points."""
        source = context.encoder_states if self.cross else hidden
        assert source is not None
        query, key = self.q_proj(hidden), self.k_proj(source)
        key_places = self.k_places(places if source_places is None else source_places)
        if self.q_places is not None:
            query, key = query + self.q_places(places), key + key_places
        query, key, value = self.split(query), self.split(key), self.split(self.v_proj(source))
        if points is not None:
            query = torch.cat((query, self.split(self.q_points(points))), dim=-1)
            key = torch.cat((key, self.split(key_places)), dim=-1)
        mask = context.cross_mask() if self.cross else context.mask(self.rule, key.shape[2])
        return self.merge(self.attend(query, key, value, mask))


_PARTS = {"q_proj": "qcontent", "k_proj": "kcontent", "q_places": "qpos", "k_places": "kpos", "v_proj": "v"}


class ConditionalDetrDecoderLayer(DetrLayer):
    """Self-attention, attention to the image, and a feed-forward block."""

    hub_names: HubNames = {
        **DetrLayer.hub_names,
        **{f"self_attn.{ours}": f"sa_{theirs}_proj" for ours, theirs in _PARTS.items()},
        **{f"cross_attn.{ours}": f"ca_{theirs}_proj" for ours, theirs in _PARTS.items()},
        "cross_attn.q_points": "ca_qpos_sine_proj",
        "cross_attn.o_proj": "encoder_attn.out_proj",
    }

    def __init__(self, config: ConditionalDetrConfig, *, first: bool) -> None:
        super().__init__(config, decoder=True)
        size, heads, dropout = config.d_model, config.decoder_attention_heads, config.attention_dropout
        self.self_attn = ConditionalAttention(size, heads, dropout=dropout)
        self.cross_attn = ConditionalAttention(size, heads, dropout=dropout, cross=True, first=first)


class ConditionalDetrDecoder(DetrDecoder):
    """Layers over the queries, each of which has a point in the image, and a final norm."""

    def __init__(self, config: ConditionalDetrConfig) -> None:
        super().__init__(config)
        size = config.d_model
        self.layers = nn.ModuleList(
            ConditionalDetrDecoderLayer(config, first=i == 0) for i in range(config.decoder_layers)
        )
        self.query_scale = BoxHead(size, size, size, 2)
        self.ref_point_head = BoxHead(size, size, 2, 2)

    def forward(
        self, inputs_embeds: Tensor, source: Tensor, padding: Tensor | None, queries: Tensor, places: Tensor
    ) -> ConditionalDetrDecoderOutput:
        context = AttentionContext(inputs_embeds, encoder_states=source, encoder_padding=padding)
        centres = self.ref_point_head(queries).sigmoid()
        across, down = (sines(centres[..., i] * 2 * math.pi, self.config.d_model // 2) for i in range(2))
        points = torch.cat((down, across), dim=-1).to(inputs_embeds.dtype)
        hidden, seen = self.dropout(inputs_embeds), []
        for i, layer in enumerate(self.layers):
            record(HIDDEN_STATES, hidden)
            scaled = points if i == 0 else points * self.query_scale(hidden)
            hidden = layer(hidden, context, places=queries, source_places=places, points=scaled)
            if self.config.auxiliary_loss:  # as released, see DetrDecoder
                hidden = self.norm(hidden)
                seen.append(hidden)
        hidden = self.norm(hidden)
        record(HIDDEN_STATES, hidden)
        return ConditionalDetrDecoderOutput(
            last_hidden_state=hidden,
            intermediate_hidden_states=torch.stack(seen) if seen else None,
            reference_points=centres.transpose(0, 1),
        )


class ConditionalDetrModel(DetrModel, ConditionalDetrPreTrainedModel):
    """Backbone, encoder and decoder."""

    decoder_class = ConditionalDetrDecoder

    def joined(self, encoded: ModelOutput, decoded: ModelOutput) -> ConditionalDetrModelOutput:
        return ConditionalDetrModelOutput.join(
            encoded,
            decoded,
            intermediate_hidden_states=decoded.intermediate_hidden_states,
            reference_points=decoded.reference_points,
        )


class ConditionalDetrForObjectDetection(DetrForObjectDetection, ConditionalDetrPreTrainedModel):
    """A class and a box for each query; there is no class of nothing, its absence is a low score."""

    model_class = ConditionalDetrModel
    empty_classes = 0

    def predict(self, outputs: ModelOutput) -> list[dict[str, Tensor]]:
        centres = outputs.reference_points.transpose(0, 1).logit(eps=1e-5)
        found = []
        for state in self.states(outputs):
            boxes = self.bbox_predictor(state)
            boxes = torch.cat((boxes[..., :2] + centres, boxes[..., 2:]), dim=-1).sigmoid()
            found.append({"logits": self.class_labels_classifier(state), "pred_boxes": boxes})
        return found

    def loss(
        self, last: dict[str, Tensor], labels: Sequence[Target], auxiliary: Sequence[dict[str, Tensor]]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        return focal_set_loss(last, labels, self.config, auxiliary)
