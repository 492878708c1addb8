"""LayoutLMv2: the words of a page with their boxes, and the page as a detector sees it, in one encoder."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LAYER
from zoo_core.checkpoint.ops import Fused, Reshaped, Transposed
from zoo_core.heads.base import Headed
from zoo_core.heads.tokens import ForQuestionAnswering
from zoo_core.modeling.loss import sequence_loss, span_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPooling,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
)
from zoo_core.nn.attention import Attention
from zoo_core.nn.boxes import boxes_or_none
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers
from zoo_multimodal.layoutlmv2.backbone import VisualBackbone
from zoo_multimodal.layoutlmv2.config import LayoutLMv2Config
from zoo_multimodal.layoutlmv3.model import DistanceBiases, ForWordClassification, WithBoxes, patch_boxes
from zoo_text.bert.model import Pooler

_PROJECTIONS = ("q_proj", "k_proj", "v_proj")
_FAST_LAYER = {
    **{name: hub for name, hub in BERT_LAYER.items() if name not in [f"self_attn.{p}" for p in _PROJECTIONS]},
    tuple(f"self_attn.{p}.weight" for p in _PROJECTIONS): Fused("attention.self.qkv_linear.weight"),
    "self_attn.q_proj.bias": Reshaped("attention.self.q_bias", (1, 1, -1)),
    "self_attn.v_proj.bias": Reshaped("attention.self.v_bias", (1, 1, -1)),
}


class LayoutLMv2PreTrainedModel(PreTrainedModel):
    """What all LayoutLMv2 classes share."""

    config_class = LayoutLMv2Config
    base_model_prefix = "layoutlmv2"
    ignored_names = ("*position_ids", "*visual.pixel_mean", "*visual.pixel_std", "*.num_batches_tracked")


class LayoutLMv2Layer(PostNormLayer):
    """Self-attention and a feed-forward block."""

    def __init__(self, config: LayoutLMv2Config) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                key_bias=not config.fast_qkv,
                out_bias=True,
                dropout=config.attention_probs_dropout_prob,
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )
        self.hub_names = _FAST_LAYER if config.fast_qkv else BERT_LAYER


class LayoutLMv2Model(DistanceBiases, LayoutLMv2PreTrainedModel):
    """The encoder: words first, then the page row by row."""

    hub_names = {
        "embeddings.layer_norm": "embeddings.LayerNorm",
        "visual_norm": "visual_LayerNorm",
        "layers": "encoder.layer",
        "position_bias.weight": Transposed("encoder.rel_pos_bias.weight"),
        "x_bias.weight": Transposed("encoder.rel_pos_x_bias.weight"),
        "y_bias.weight": Transposed("encoder.rel_pos_y_bias.weight"),
    }

    def __init__(self, config: LayoutLMv2Config) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.embeddings = WithBoxes(config)
        self.visual = VisualBackbone(config)
        self.visual_proj = nn.Linear(config.image_feature_pool_shape[-1], size)
        if config.has_visual_segment_embedding:
            self.visual_segment_embedding = nn.Parameter(torch.zeros(size))
        self.visual_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.layers = nn.ModuleList(LayoutLMv2Layer(config) for _ in range(config.num_hidden_layers))
        self.make_biases(config)
        self.pooler = Pooler(config.hidden_size)
        self.post_init()

    def embed_page(self, image: Tensor | None) -> tuple[Tensor, Tensor]:
        """Pages (batch, 3, height, width) to vectors (batch, places, hidden) and boxes (batch, places, 4)."""
        if image is None:
            raise ValueError("pass image= (batch, 3, height, width), the pages that the words stand on")
        vectors = self.visual_proj(self.visual(image))
        boxes = patch_boxes(*self.visual.grid, image.device)[1:].expand(len(image), -1, -1)
        positions = self.embeddings.position_embeddings.weight[: vectors.shape[1]]
        vectors = vectors + positions + torch.cat(self.embeddings.boxes(boxes), dim=-1)
        if self.config.has_visual_segment_embedding:
            vectors = vectors + self.visual_segment_embedding
        return self.dropout(self.visual_norm(vectors)), boxes

    def forward(
        self,
        input_ids: Tensor | None = None,
        bbox: Tensor | None = None,
        image: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        page: tuple[Tensor, Tensor] | None = None,
    ) -> BaseModelOutputWithPooling:
        """Words and pages to states (batch, words + places, hidden).

        Args:
            input_ids: (batch, sequence). attention_mask: of the words alone.
            bbox: (batch, sequence, 4) x0, y0, x1, y1 of each word in thousandths of the page; by default 0.
            image: (batch, 3, height, width) pixels from 0 to 255, blue first.
            page: what `embed_page` gave for the image, in its stead.
        """
        given = inputs_embeds if input_ids is None else input_ids
        if given is None:
            raise ValueError("You have to specify either input_ids or inputs_embeds")
        bbox = boxes_or_none(bbox, given)
        places, boxes = self.embed_page(image) if page is None else page
        words = self.embeddings(
            input_ids,
            bbox,
            inputs_embeds=inputs_embeds,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
        )
        hidden = torch.cat((words, places), dim=1)
        if attention_mask is not None:
            attention_mask = torch.cat((attention_mask, attention_mask.new_ones(places.shape[:2])), dim=1)
        if position_ids is None:
            position_ids = torch.arange(words.shape[1], device=hidden.device)[None]
        beside = torch.arange(places.shape[1], device=hidden.device).expand(len(position_ids), -1)
        bias = self.biases(torch.cat((position_ids, beside), dim=1), torch.cat((bbox, boxes), dim=1))
        context = AttentionContext(hidden, attention_mask)
        hidden = run_layers(self.layers, hidden, context, bias=bias, head_mask=head_mask)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=self.pooler(hidden))


class LayoutLMv2ForSequenceClassification(Headed, LayoutLMv2PreTrainedModel):
    """A classifier on the first word's state, and on the page before and after the encoder."""

    base_class = LayoutLMv2Model

    def build_head(self, config: LayoutLMv2Config) -> None:  # type: ignore[override]
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.classifier = nn.Linear(config.hidden_size * 3, config.num_labels)

    def forward(
        self,
        input_ids: Tensor | None = None,
        bbox: Tensor | None = None,
        image: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> SequenceClassifierOutput:
        """As the base model; logits (batch, num_labels)."""
        page = self.model.embed_page(image)
        outputs = self.model(input_ids, bbox, page=page, **inputs)
        hidden, count = outputs.last_hidden_state, page[0].shape[1]
        parts = hidden[:, 0], page[0].mean(1), hidden[:, -count:].mean(1)
        logits = self.classifier(self.dropout(torch.cat(parts, dim=1)))
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return SequenceClassifierOutput.carry(outputs, loss=loss, logits=logits)


class LayoutLMv2ForTokenClassification(ForWordClassification, LayoutLMv2PreTrainedModel):
    """LayoutLMv2 with a classifier on each word."""

    base_class = LayoutLMv2Model


class LayoutLMv2ForQuestionAnswering(ForQuestionAnswering, LayoutLMv2PreTrainedModel):
    """LayoutLMv2 with scores of an answer's first and last word."""

    base_class = LayoutLMv2Model

    def __init__(self, config: LayoutLMv2Config, has_visual_segment_embedding: bool = True) -> None:
        config.has_visual_segment_embedding = has_visual_segment_embedding
        super().__init__(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        bbox: Tensor | None = None,
        image: Tensor | None = None,
        *,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **inputs: Any,
    ) -> QuestionAnsweringModelOutput:
        """As the base model; scores (batch, words) each."""
        page = self.model.embed_page(image)
        outputs = self.model(input_ids, bbox, page=page, **inputs)
        words = outputs.last_hidden_state[:, : -page[0].shape[1]]
        start, end = self.qa_outputs(words).unbind(-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = span_loss(start, end, start_positions, end_positions)
        return QuestionAnsweringModelOutput.carry(outputs, loss=loss, start_logits=start, end_logits=end)
