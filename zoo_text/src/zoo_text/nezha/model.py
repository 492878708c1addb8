"""NEZHA: BERT with sinusoids of relative positions in the keys and values of every layer."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo_core.nn.attention import Attention
from zoo_core.nn.attention_functions import ATTENTION_FUNCTIONS, Scoring
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, record
from zoo_core.nn.sinusoid import sinusoids
from zoo_text.bert import model as bert
from zoo_text.nezha.config import NezhaConfig


class NezhaPreTrainedModel(bert.BertPreTrainedModel):
    """What all NEZHA classes share."""

    config_class = NezhaConfig
    base_model_prefix = "nezha"
    ignored_names = ("*position_ids", "*positions_encoding")


class NezhaAttention(Attention):
    """Attention with a fixed vector for each distance added to keys and to values."""

    farthest: int

    def forward(  # type: ignore[override]
        self, hidden: Tensor, context: AttentionContext, *, head_mask: Tensor | None = None
    ) -> Tensor:
        query, key, value, mask = self.inputs(hidden, context, None)
        distances = self.distances(context, key)
        bias = torch.einsum("bhqd,qkd->bhqk", query, distances) * self.scale
        scoring = Scoring(
            self.scale, dropout=self.dropout if self.training else 0.0, bias=bias, head_mask=head_mask
        )
        attended, weights = ATTENTION_FUNCTIONS["eager"](query, key, value, mask, scoring)
        assert weights is not None
        record(ATTENTIONS, weights)
        return self.merge(attended + torch.einsum("bhqk,qkd->bhqd", weights, distances))

    def distances(self, context: AttentionContext, key: Tensor) -> Tensor:
        """(Q, K, width) the vector of each distance; sines and cosines take turns."""
        if "distances" not in context.shared:
            halves = sinusoids(2 * self.farthest + 1, self.head_dim).to(key)
            table = halves.unflatten(1, (2, -1)).transpose(1, 2).flatten(1)
            steps = torch.arange(key.shape[2], device=key.device) - context.positions[:, None]
            index = steps.clamp(-self.farthest, self.farthest) + self.farthest
            context.shared["distances"] = table[index]
        return context.shared["distances"]


class NezhaLayer(bert.BertLayer):
    """BERT's layer with relative positions."""

    def __init__(self, config: NezhaConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        plain = self.self_attn
        self.self_attn = NezhaAttention(
            config.hidden_size,
            config.num_attention_heads,
            dropout=config.attention_probs_dropout_prob,
            rule=plain.rule,
            layer_idx=layer_idx,
        )
        self.self_attn.farthest = config.max_relative_position


class NezhaModel(NezhaPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    layer_class = NezhaLayer

    def embed_with(self, config: NezhaConfig, width: int) -> TextEmbeddings:
        return TextEmbeddings(
            config.vocab_size,
            width,
            max_positions=0,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )


class NezhaForPreTraining(NezhaPreTrainedModel, bert.BertForPreTraining):
    """NEZHA with both heads of its pre-training."""

    base_class = NezhaModel


class NezhaForMaskedLM(NezhaPreTrainedModel, bert.BertForMaskedLM):
    """NEZHA with a masked language modeling head."""

    base_class = NezhaModel


class NezhaForNextSentencePrediction(NezhaPreTrainedModel, bert.BertForNextSentencePrediction):
    """NEZHA with a next-sentence head."""

    base_class = NezhaModel


class NezhaForSequenceClassification(NezhaPreTrainedModel, bert.BertForSequenceClassification):
    """NEZHA with a classifier on the pooled output."""

    base_class = NezhaModel


class NezhaForMultipleChoice(NezhaPreTrainedModel, bert.BertForMultipleChoice):
    """NEZHA with one score for each choice."""

    base_class = NezhaModel


class NezhaForTokenClassification(NezhaPreTrainedModel, bert.BertForTokenClassification):
    """NEZHA with a classifier on each token."""

    base_class = NezhaModel


class NezhaForQuestionAnswering(NezhaPreTrainedModel, bert.BertForQuestionAnswering):
    """NEZHA with scores of an answer's first and last token."""

    base_class = NezhaModel
