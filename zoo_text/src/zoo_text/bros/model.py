"""BROS: a BERT whose attention also reads how far and in which direction boxes lie from each other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LAYER
from zoo_core.heads.base import Headed, classifier_dropout
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    ModelOutput,
    TokenClassifierOutput,
)
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext
from zoo_text.bert import model as bert
from zoo_text.bros.config import BrosConfig

CORNERS = (0, 1, 2, 1, 2, 3, 0, 3)
"""The four corners of x0, y0, x1, y1, clockwise from the upper left."""


class BrosPreTrainedModel(bert.BertPreTrainedModel):
    """What all BROS classes share."""

    config_class = BrosConfig
    base_model_prefix = "bros"


class BoxDistances(nn.Module):
    """Distances between all pairs of boxes, as sinusoids and projected to the width of a head."""

    hub_names = {
        "projection": "bbox_projection",
        "x_inv_freq": "bbox_sinusoid_emb.x_pos_emb.inv_freq",
        "y_inv_freq": "bbox_sinusoid_emb.y_pos_emb.inv_freq",
    }
    x_inv_freq: Tensor
    y_inv_freq: Tensor

    def __init__(self, config: BrosConfig) -> None:
        super().__init__()
        width = config.hidden_size // 4 // config.dim_bbox
        for name in ("x_inv_freq", "y_inv_freq"):
            self.register_buffer(name, 10000.0 ** (-torch.arange(0.0, width, 2.0) / width))
        self.projection = nn.Linear(
            config.hidden_size // 4, config.hidden_size // config.num_attention_heads, bias=False
        )

    def forward(self, boxes: Tensor) -> Tensor:
        """(batch, sequence, coordinates) to (batch, query, key, head width)."""
        distances = boxes[:, None] - boxes[:, :, None]
        frequencies = torch.stack((self.x_inv_freq, self.y_inv_freq)).repeat(boxes.shape[-1] // 2, 1)
        angles = distances[..., None] * frequencies  # (batch, query, key, coordinate, frequency)
        return self.projection(torch.cat((angles.sin(), angles.cos()), dim=-1).flatten(-2))


class BrosAttention(Attention):
    """Self-attention whose queries also meet the distances between boxes."""

    def forward(  # type: ignore[override]
        self, hidden: Tensor, context: AttentionContext, *, distances: Tensor, **options: Any
    ) -> Tensor:
        context.shared["distances"] = distances
        return super().forward(hidden, context, **options)

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        return torch.einsum("bhqd,bqkd->bhqk", query, context.shared["distances"]) * self.scale


class BrosLayer(PostNormLayer):
    """A layer of BERT with that attention."""

    hub_names = BERT_LAYER

    def __init__(self, config: BrosConfig, layer_idx: int) -> None:
        parts = bert.layer_parts(config, layer_idx)
        parts["self_attn"] = BrosAttention(
            config.hidden_size,
            config.num_attention_heads,
            dropout=config.attention_probs_dropout_prob,
            rule=CAUSAL if config.is_decoder else FULL,
        )
        super().__init__(**parts)


class BrosModel(BrosPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    blind_queries_average = True
    layer_class = BrosLayer

    def make_embeddings(self, config: BrosConfig) -> None:
        super().make_embeddings(config)
        self.bbox_embeddings = BoxDistances(config)

    def forward(
        self, input_ids: Tensor | None = None, bbox: Tensor | None = None, *args: Any, **inputs: Any
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """As BERT's.

        `bbox`: x0, y0, x1, y1 of each word in parts of the page (batch, sequence, 4), or its four corners
        (batch, sequence, 8).
        """
        if bbox is None:
            raise ValueError("BROS needs bbox (batch, sequence, 4 or 8), the box of each token")
        if bbox.shape[-1] == 4:
            bbox = bbox[..., CORNERS]
        distances = self.bbox_embeddings((bbox * self.config.bbox_scale).to(self.dtype))
        return super().forward(input_ids, *args, layer_inputs={"distances": distances}, **inputs)


class RelationExtractor(nn.Module):
    """Scores of a link from each word to each other, and in the last column to none."""

    def __init__(self, config: BrosConfig) -> None:
        super().__init__()
        size, self.relations = config.hidden_size, config.n_relations
        self.dropout = nn.Dropout(config.classifier_dropout_prob)
        self.query = nn.Linear(size, size * self.relations)
        self.key = nn.Linear(size, size * self.relations)
        self.dummy_node = nn.Parameter(torch.zeros(1, size))

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, sequence, hidden) to (batch, sequence, sequence + 1), of several relations these first."""
        nodes = torch.cat((hidden, self.dummy_node.expand(len(hidden), 1, -1)), dim=1)
        query, key = self.query(self.dropout(hidden)), self.key(self.dropout(nodes))
        query, key = (x.unflatten(-1, (self.relations, -1)).movedim(2, 0) for x in (query, key))
        return (query @ key.transpose(-1, -2)).squeeze(0)


def without(logits: Tensor, hidden: Tensor) -> Tensor:
    """Scores (batch, sequence, sequence + 1) with those of `hidden` (batch, sequence), and of each word
    itself, lowest."""
    hidden = nn.functional.pad(hidden, (0, 1))[:, None] | torch.eye(
        *logits.shape[1:], dtype=torch.bool, device=logits.device
    )
    return logits.masked_fill(hidden, torch.finfo(logits.dtype).min)


def chosen_loss(logits: Tensor, labels: Tensor, chosen: Tensor | None) -> Tensor:
    """The loss of the words where `chosen` (batch, sequence) is true."""
    return token_loss(logits, labels) if chosen is None else token_loss(logits[chosen], labels[chosen])


class BrosForTokenClassification(ForTokenClassification, BrosPreTrainedModel):
    """BROS with a classifier on each token; the loss counts those of `bbox_first_token_mask`."""

    base_class = BrosModel
    ignored_names = (*BrosPreTrainedModel.ignored_names, "*pooler*")

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        bbox_first_token_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        output = super().forward(input_ids, **inputs)
        if labels is not None:
            output.loss = chosen_loss(output.logits, labels, bbox_first_token_mask)
        return output


class BrosSpadeOutput(ModelOutput):
    """Scores of being an entity's first token, and of which token follows each."""

    loss: Tensor | None = None
    initial_token_logits: Tensor | None = None
    subsequent_token_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class BrosSpadeEEForTokenClassification(Headed, BrosPreTrainedModel):
    """Entities as first tokens and chains of tokens that follow (https://arxiv.org/abs/2005.00642)."""

    base_class = BrosModel

    def build_head(self, config: BrosConfig) -> None:  # type: ignore[override]
        self.initial_token_classifier = nn.Sequential(
            classifier_dropout(config),
            nn.Linear(config.hidden_size, config.hidden_size),
            classifier_dropout(config),
            nn.Linear(config.hidden_size, config.num_labels),
        )
        self.subsequent_token_classifier = RelationExtractor(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        attention_mask: Tensor | None = None,
        bbox_first_token_mask: Tensor | None = None,
        initial_token_labels: Tensor | None = None,
        subsequent_token_labels: Tensor | None = None,
        **inputs: Any,
    ) -> BrosSpadeOutput:
        """Labels (batch, sequence) of both kinds make the loss."""
        outputs = self.model(input_ids, attention_mask=attention_mask, **inputs)
        hidden = outputs.last_hidden_state
        if attention_mask is None:
            attention_mask = torch.ones(hidden.shape[:2], device=hidden.device)
        seen = attention_mask.bool()
        initial = self.initial_token_classifier(hidden)
        subsequent = without(self.subsequent_token_classifier(hidden), ~seen)
        loss = None
        if initial_token_labels is not None and subsequent_token_labels is not None:
            loss = chosen_loss(initial, initial_token_labels, bbox_first_token_mask)
            loss = loss + chosen_loss(subsequent, subsequent_token_labels, seen)
        return BrosSpadeOutput.carry(
            outputs, loss=loss, initial_token_logits=initial, subsequent_token_logits=subsequent
        )


class BrosSpadeELForTokenClassification(Headed, BrosPreTrainedModel):
    """Links from the first token of each entity to that of another."""

    base_class = BrosModel

    def build_head(self, config: BrosConfig) -> None:  # type: ignore[override]
        self.entity_linker = RelationExtractor(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        bbox_first_token_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> TokenClassifierOutput:
        """Logits (batch, sequence, sequence + 1); with labels (batch, sequence) links to tokens that are not
        in `bbox_first_token_mask` are ruled out."""
        outputs = self.model(input_ids, **inputs)
        logits = self.entity_linker(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            if bbox_first_token_mask is None:
                raise ValueError("the loss of entity links needs bbox_first_token_mask (batch, sequence)")
            logits = without(logits, ~bbox_first_token_mask)
            loss = chosen_loss(logits, labels, bbox_first_token_mask)
        return TokenClassifierOutput.carry(outputs, loss=loss, logits=logits)
