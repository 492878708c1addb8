"""LayoutLMv3: the words of a page with their boxes, and its patches, in one encoder."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LAYER
from zoo_core.checkpoint.ops import Transposed
from zoo_core.config import PretrainedConfig
from zoo_core.heads.first_token import DenseClassifier, ForFirstTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, TokenClassifierOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.boxes import PAGE, BoxEmbedding, boxes_or_none
from zoo_core.nn.embeddings import TextEmbeddings, UnpaddedTextEmbeddings, embed
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding
from zoo_core.nn.relative_bias import RelativeBias
from zoo_core.nn.stack import run_layers
from zoo_multimodal.layoutlmv3.config import LayoutLMv3Config


class LayoutLMv3PreTrainedModel(PreTrainedModel):
    """What all LayoutLMv3 classes share."""

    config_class = LayoutLMv3Config
    base_model_prefix = "layoutlmv3"


class WithBoxes(TextEmbeddings):
    """Embeddings of text, and of the place and shape of each word's box."""

    hub_names = {"boxes": ""}

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(
            config.vocab_size,
            config.hidden_size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        self.boxes = BoxEmbedding(
            config.max_2d_position_embeddings, config.coordinate_size, config.shape_size
        )

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None,
        bbox: Tensor,
        *,
        inputs_embeds: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> Tensor:
        """ids and boxes (batch, sequence, 4) to (batch, sequence, hidden)."""
        words = embed(self.word_embeddings, input_ids, inputs_embeds)
        if position_ids is None:
            position_ids = self.default_positions(input_ids, words, 0)
        return super().forward(
            None,
            inputs_embeds=words + torch.cat(self.boxes(bbox), dim=-1),
            token_type_ids=token_type_ids,
            position_ids=position_ids,
        )


class BoxEmbeddings(WithBoxes, UnpaddedTextEmbeddings):
    """Boxes, and positions as RoBERTa's."""


class DistanceBiases(nn.Module):
    """A model whose layers add to their scores by distances in the text and on the page."""

    config: PretrainedConfig

    def make_biases(self, config: PretrainedConfig) -> None:
        """Create what `biases` uses."""
        flat, square = (
            {"buckets": buckets, "max_distance": far, "bidirectional": True}
            for buckets, far in (
                (config.rel_pos_bins, config.max_rel_pos),
                (config.rel_2d_pos_bins, config.max_rel_2d_pos),
            )
        )
        heads = config.num_attention_heads
        if config.has_relative_attention_bias:
            self.position_bias = RelativeBias(heads, **flat)
        if config.has_spatial_attention_bias:
            self.x_bias, self.y_bias = RelativeBias(heads, **square), RelativeBias(heads, **square)

    def biases(self, positions: Tensor, boxes: Tensor) -> Tensor | None:
        """(1 or batch, heads, sequence, sequence) of positions (sequence,) and boxes (batch, sequence, 4)."""
        found: Tensor | None = None
        if self.config.has_relative_attention_bias:
            found = self.position_bias(positions, positions)
        if self.config.has_spatial_attention_bias:
            left, bottom = boxes[..., 0], boxes[..., 3]
            spatial = self.x_bias(left, left) + self.y_bias(bottom, bottom)
            found = spatial if found is None else found + spatial
        return found


class LayoutLMv3Layer(PostNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = BERT_LAYER

    def __init__(self, config: LayoutLMv3Config) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                config.hidden_size, config.num_attention_heads, dropout=config.attention_probs_dropout_prob
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )


def patch_boxes(rows: int, columns: int, device: torch.device) -> Tensor:
    """(1 + patches, 4) boxes of the class token, which has nearly the page, and of all patches."""
    y = PAGE * torch.arange(rows + 1, device=device) // rows
    x = PAGE * torch.arange(columns + 1, device=device) // columns
    sides = (x[:-1].expand(rows, -1), y[:-1, None].expand(-1, columns))
    ends = (x[1:].expand(rows, -1), y[1:, None].expand(-1, columns))
    patches = torch.stack((*sides, *ends), dim=-1).flatten(0, 1)
    return torch.cat((torch.tensor([[1, 1, PAGE - 1, PAGE - 1]], device=device), patches))


class LayoutLMv3Model(DistanceBiases, LayoutLMv3PreTrainedModel):
    """The encoder: words first, then a class token and the patches of the page."""

    hub_names = {
        "embeddings.layer_norm": "embeddings.LayerNorm",
        "patch_embedding.projection": "patch_embed.proj",
        "position_embedding": "pos_embed",
        "patch_norm": "norm",
        "joint_norm": "LayerNorm",
        "layers": "encoder.layer",
        "position_bias.weight": Transposed("encoder.rel_pos_bias.weight"),
        "x_bias.weight": Transposed("encoder.rel_pos_x_bias.weight"),
        "y_bias.weight": Transposed("encoder.rel_pos_y_bias.weight"),
    }

    def __init__(self, config: LayoutLMv3Config) -> None:
        super().__init__(config)
        size = config.hidden_size
        if config.text_embed:
            self.embeddings = BoxEmbeddings(config)
        if config.visual_embed:
            self.patch_embedding = PatchEmbedding(
                config.input_size, config.patch_size, config.num_channels, size
            )
            self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
            self.position_embedding = nn.Parameter(torch.zeros(1, 1 + self.patch_embedding.num_patches, size))
            self.patch_norm = nn.LayerNorm(size, eps=1e-6)
            self.joint_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
            self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.layers = nn.ModuleList(LayoutLMv3Layer(config) for _ in range(config.num_hidden_layers))
        self.make_biases(config)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        bbox: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
    ) -> BaseModelOutput:
        """Words, a page or both to states (batch, words + 1 + patches, hidden).

        Args:
            input_ids: (batch, sequence). attention_mask: of the words alone.
            bbox: (batch, sequence, 4) x0, y0, x1, y1 of each word in thousandths of the page; by default 0.
            pixel_values: (batch, channels, height, width).
        """
        parts, boxes, masks = [], [], []
        if input_ids is not None or inputs_embeds is not None:
            given = input_ids if input_ids is not None else inputs_embeds
            assert given is not None
            bbox = boxes_or_none(bbox, given)
            parts.append(
                self.embeddings(
                    input_ids,
                    bbox,
                    inputs_embeds=inputs_embeds,
                    token_type_ids=token_type_ids,
                    position_ids=position_ids,
                )
            )
            boxes.append(bbox)
            if attention_mask is None:
                attention_mask = torch.ones(given.shape[:2], device=given.device)
            masks.append(attention_mask)
        if pixel_values is not None:
            patches = self.embed_image(pixel_values)
            parts.append(patches)
            page = patch_boxes(*self.patch_embedding.grid, patches.device)
            boxes.append(page.expand(len(patches), -1, -1))
            masks.append(torch.ones(patches.shape[:2], device=patches.device))
        if not parts:
            raise ValueError("pass input_ids (or inputs_embeds), pixel_values, or both")
        hidden = torch.cat(parts, dim=1)
        if pixel_values is not None:
            hidden = self.dropout(self.joint_norm(hidden))
        positions = torch.cat([torch.arange(part.shape[1], device=hidden.device) for part in parts])
        context = AttentionContext(hidden, torch.cat(masks, dim=1))
        bias = self.biases(positions, torch.cat(boxes, dim=1))
        hidden = run_layers(self.layers, hidden, context, bias=bias, head_mask=head_mask)
        return BaseModelOutput(last_hidden_state=hidden)

    def embed_image(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, 1 + patches, hidden), the class token first."""
        patches = self.patch_embedding(pixel_values)
        first = self.cls_token.expand(len(patches), -1, -1)
        return self.patch_norm(torch.cat((first, patches), dim=1) + self.position_embedding)

    def biases(self, positions: Tensor, boxes: Tensor) -> Tensor | None:
        if not self.config.has_relative_attention_bias:
            return None  # boxes alone count for nothing, as in what this model is compared with
        found = super().biases(positions, boxes)
        return found * (self.config.hidden_size // self.config.num_attention_heads) ** -0.5


class LayoutLMv3ForSequenceClassification(ForFirstTokenClassification, LayoutLMv3PreTrainedModel):
    """LayoutLMv3 with a classifier on the first token."""

    base_class = LayoutLMv3Model
    base_options = {}


class ForWordClassification(ForTokenClassification):
    """A classifier on each word, not on the page; logits (batch, sequence, num_labels)."""

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> TokenClassifierOutput:
        outputs = self.model(input_ids, **inputs)
        given = inputs.get("inputs_embeds") if input_ids is None else input_ids
        words = outputs.last_hidden_state[:, : given.shape[1]] if given is not None else outputs[0]
        logits = self.classifier(self.dropout(words))
        loss = None if labels is None else token_loss(logits, labels)
        return TokenClassifierOutput.carry(outputs, loss=loss, logits=logits)


class LayoutLMv3ForTokenClassification(ForWordClassification, LayoutLMv3PreTrainedModel):
    """LayoutLMv3 with a classifier on each word; of two layers for ten labels or more."""

    base_class = LayoutLMv3Model

    def build_head(self, config: LayoutLMv3Config) -> None:  # type: ignore[override]
        super().build_head(config)
        if config.num_labels >= 10:
            self.classifier = DenseClassifier(config, "tanh")


class LayoutLMv3ForQuestionAnswering(ForQuestionAnswering, LayoutLMv3PreTrainedModel):
    """LayoutLMv3 with scores of an answer's first and last token, those of the page included."""

    base_class = LayoutLMv3Model

    def build_head(self, config: LayoutLMv3Config) -> None:  # type: ignore[override]
        self.qa_outputs = DenseClassifier(config, "tanh")
