"""LiLT: a stream of words and a narrow one of boxes, which add their attention scores to each other's."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT
from zoo_core.heads.first_token import ForFirstTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.attention import Attention
from zoo_core.nn.boxes import BoxEmbedding, boxes_or_none
from zoo_core.nn.embeddings import UnpaddedTextEmbeddings, embed
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import FULL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_text.bert.model import Pooler
from zoo_text.lilt.config import LiltConfig


class LiltPreTrainedModel(PreTrainedModel):
    """What all LiLT classes share."""

    config_class = LiltConfig
    base_model_prefix = "lilt"
    ignored_names = ("*position_ids",)


class LayoutEmbeddings(nn.Module):
    """Boxes, and the positions of their words, in the narrow stream."""

    hub_names = {"boxes": "", "layer_norm": "LayerNorm"}

    def __init__(self, config: LiltConfig) -> None:
        super().__init__()
        part, narrow = config.hidden_size // 6, config.hidden_size // config.channel_shrink_ratio
        self.boxes = BoxEmbedding(config.max_2d_position_embeddings, part, part)
        self.box_position_embeddings = nn.Embedding(config.max_position_embeddings, narrow)
        self.box_linear_embeddings = nn.Linear(config.hidden_size, narrow)
        self.layer_norm = nn.LayerNorm(narrow, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, bbox: Tensor, position_ids: Tensor) -> Tensor:
        """Boxes (batch, sequence, 4) to (batch, sequence, narrow)."""
        boxes = self.box_linear_embeddings(torch.cat(self.boxes(bbox), dim=-1))
        return self.dropout(self.layer_norm(boxes + self.box_position_embeddings(position_ids)))


class Stream(PostNormLayer):
    """A layer of one of the streams."""

    def __init__(self, config: LiltConfig, ratio: int) -> None:
        size = config.hidden_size // ratio
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                size, config.num_attention_heads, dropout=config.attention_probs_dropout_prob
            ),
            mlp=MLP(size, config.intermediate_size // ratio, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )

    def finish(self, hidden: Tensor, attended: Tensor) -> Tensor:
        """What follows attention."""
        hidden = self.self_attn_layer_norm(hidden + self.dropout(attended))
        return self.final_layer_norm(hidden + self.dropout(self.mlp(hidden)))


class LiltLayer(nn.Module):
    """Both streams, each attending by the sum of both streams' scores."""

    hub_names = {
        f"{stream}.{part}": place.format(prefix)
        for stream, prefix in (("text", ""), ("layout", "layout_"))
        for part, place in {
            "self_attn.q_proj": "attention.self.{}query",
            "self_attn.k_proj": "attention.self.{}key",
            "self_attn.v_proj": "attention.self.{}value",
            "self_attn.o_proj": "attention.{}output.dense",
            "self_attn_layer_norm": "attention.{}output.LayerNorm",
            "mlp.fc1": "{}intermediate.dense",
            "mlp.fc2": "{}output.dense",
            "final_layer_norm": "{}output.LayerNorm",
        }.items()
    }

    def __init__(self, config: LiltConfig) -> None:
        super().__init__()
        self.text, self.layout = Stream(config, 1), Stream(config, config.channel_shrink_ratio)

    def forward(
        self, words: Tensor, boxes: Tensor, context: AttentionContext, head_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Words (batch, sequence, hidden) and boxes (batch, sequence, narrow) to the same."""
        streams = (self.text, words), (self.layout, boxes)
        heads = [stream.self_attn.heads(hidden, None) for stream, hidden in streams]
        scores = [
            query @ key.transpose(-1, -2) * stream.self_attn.scale
            for (stream, _), (query, key, _) in zip(streams, heads, strict=True)
        ]
        mask = context.mask(FULL, words.shape[1])
        text, layout = self.text.self_attn, self.layout.self_attn
        attended = text.attend(*heads[0], mask, bias=scores[1], head_mask=head_mask)
        placed, _ = layout.weigh(*heads[1], mask, name="layout", bias=scores[0], head_mask=head_mask)
        return self.text.finish(words, text.merge(attended)), self.layout.finish(boxes, layout.merge(placed))


class LiltModel(LiltPreTrainedModel):
    """The encoder: words as a RoBERTa's, and boxes."""

    hub_names = {**BERT, "layers": "encoder.layer"}

    def __init__(self, config: LiltConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = UnpaddedTextEmbeddings(
            config.vocab_size,
            config.hidden_size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        self.layout_embeddings = LayoutEmbeddings(config)
        self.layers = nn.ModuleList(LiltLayer(config) for _ in range(config.num_hidden_layers))
        self.pooler = Pooler(config.hidden_size) if add_pooling_layer else None
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
    ) -> BaseModelOutputWithPooling:
        """ids (batch, sequence), with boxes x0, y0, x1, y1 (batch, sequence, 4), to states and pooled."""
        words = embed(self.embeddings.word_embeddings, input_ids, inputs_embeds)
        if position_ids is None:
            position_ids = self.embeddings.default_positions(input_ids, words, 0)
        boxes = self.layout_embeddings(boxes_or_none(bbox, words), position_ids)
        words = self.embeddings(
            None, inputs_embeds=words, token_type_ids=token_type_ids, position_ids=position_ids
        )
        context = AttentionContext(words, attention_mask)
        context.blind_queries_average = True
        factors = [None] * len(self.layers)
        if head_mask is not None:
            factors = list(head_mask.expand(len(self.layers), -1)[:, None, :, None, None])
        for layer, factor in zip(self.layers, factors, strict=True):
            record(HIDDEN_STATES, words)
            words, boxes = layer(words, boxes, context, factor)
        record(HIDDEN_STATES, words)
        pooled = None if self.pooler is None else self.pooler(words)
        return BaseModelOutputWithPooling(last_hidden_state=words, pooler_output=pooled)


class LiltForSequenceClassification(ForFirstTokenClassification, LiltPreTrainedModel):
    """LiLT with a classifier on the first token."""

    base_class = LiltModel


class LiltForTokenClassification(ForTokenClassification, LiltPreTrainedModel):
    """LiLT with a classifier on each token."""

    base_class = LiltModel
    base_options = {"add_pooling_layer": False}


class LiltForQuestionAnswering(ForQuestionAnswering, LiltPreTrainedModel):
    """LiLT with scores of an answer's first and last token."""

    base_class = LiltModel
    base_options = {"add_pooling_layer": False}
