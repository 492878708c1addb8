"""MobileBERT: a deep and thin BERT, whose layers narrow the states, work on them and widen them again."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LAYER, BERT_LM_HEAD
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import TextEmbeddings, embed
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_text.bert import model as bert
from zoo_text.mobilebert.config import MobileBertConfig


class MobileBertPreTrainedModel(bert.BertPreTrainedModel):
    """What all MobileBERT classes share."""

    config_class = MobileBertConfig
    base_model_prefix = "mobilebert"


class NoNorm(nn.Module):
    """Scale and shift of each feature, in place of a norm (section 3.3)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.bias


def norm_of(config: MobileBertConfig, size: int) -> nn.Module:
    """The norm that the config names."""
    if config.normalization_type == "no_norm":
        return NoNorm(size)
    return nn.LayerNorm(size, eps=config.layer_norm_eps)


class MobileBertEmbeddings(TextEmbeddings):
    """Embeddings of a token and of its neighbours, widened."""

    def __init__(self, config: MobileBertConfig) -> None:
        size, width = config.hidden_size, config.embedding_size
        super().__init__(
            config.vocab_size,
            size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.layer_norm = norm_of(config, size)  # type: ignore[assignment]
        self.trigram = config.trigram_input
        self.embedding_transformation: nn.Module = nn.Identity()
        if self.trigram or width != size:
            self.embedding_transformation = nn.Linear(3 * width if self.trigram else width, size)

    def forward(
        self, input_ids: Tensor | None, *, inputs_embeds: Tensor | None = None, **inputs: Any
    ) -> Tensor:
        """ids (batch, sequence), or vectors (batch, sequence, width), to (batch, sequence, hidden)."""
        words = embed(self.word_embeddings, input_ids, inputs_embeds)
        if self.trigram:
            following, previous = F.pad(words[:, 1:], (0, 0, 0, 1)), F.pad(words[:, :-1], (0, 0, 1, 0))
            words = torch.cat((following, words, previous), dim=-1)
        return super().forward(None, inputs_embeds=self.embedding_transformation(words), **inputs)


class Bottleneck(nn.Module):
    """A linear layer to another width, and a norm."""

    def __init__(self, config: MobileBertConfig, inputs: int, outputs: int) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)
        self.layer_norm = norm_of(config, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer_norm(self.dense(x))


class MobileBertAttention(Attention):
    """Attention whose queries and keys may come from narrow states, while values come from the wide ones."""

    def __init__(self, config: MobileBertConfig) -> None:
        size, narrow = config.hidden_size, config.true_hidden_size
        assert narrow is not None
        super().__init__(narrow, config.num_attention_heads, dropout=config.attention_probs_dropout_prob)
        self.reads_wide = config.use_bottleneck and not config.use_bottleneck_attention
        if self.reads_wide:
            self.v_proj = Linear(size, narrow)
        shared = config.use_bottleneck and config.key_query_shared_bottleneck
        self.shared = Bottleneck(config, size, narrow) if shared else None  # files hold it even if unused

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shared = self.shared(hidden) if self.reads_wide and self.shared is not None else hidden
        return self.q_proj(shared), self.k_proj(shared), self.v_proj(hidden)


class FeedForward(nn.Module):
    """norm(x + mlp(x))."""

    def __init__(self, config: MobileBertConfig, dropout: float) -> None:
        super().__init__()
        size = config.true_hidden_size
        assert size is not None
        self.mlp = MLP(size, config.intermediate_size, config.hidden_act, dropout=dropout)
        self.layer_norm = norm_of(config, size)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.layer_norm(hidden + self.mlp(hidden))


class MobileBertLayer(nn.Module):
    """Narrow, attend, several feed-forward blocks, widen."""

    def __init__(self, config: MobileBertConfig, layer_idx: int) -> None:
        super().__init__()
        size, narrow, blocks = config.hidden_size, config.true_hidden_size, config.num_feedforward_networks
        assert narrow is not None
        dropout = 0.0 if config.use_bottleneck else config.hidden_dropout_prob
        self.narrow = Bottleneck(config, size, narrow) if config.use_bottleneck else None
        self.self_attn = MobileBertAttention(config)
        self.self_attn_layer_norm = norm_of(config, narrow)
        self.blocks = nn.ModuleList(
            FeedForward(config, dropout if i == blocks - 1 else 0.0) for i in range(blocks)
        )
        self.widen = nn.Linear(narrow, size) if config.use_bottleneck else None
        self.widen_layer_norm = norm_of(config, size) if config.use_bottleneck else None
        self.attention_dropout = nn.Dropout(dropout)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.hub_names = _layer_names(blocks)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        narrow = hidden if self.narrow is None else self.narrow(hidden)
        attended = self.self_attn(hidden if self.self_attn.reads_wide else narrow, context, **attention)
        states = self.self_attn_layer_norm(narrow + self.attention_dropout(attended))
        for block in self.blocks:
            states = block(states)
        if self.widen is None or self.widen_layer_norm is None:
            return states
        return self.widen_layer_norm(hidden + self.dropout(self.widen(states)))


def _layer_names(blocks: int) -> dict[str, str]:
    """Hub names of a layer; the last of its feed-forward blocks stands apart from the others."""
    names = {key: str(name) for key, name in BERT_LAYER.items() if str(key).startswith("self_attn")}
    names |= {
        "self_attn.shared": "bottleneck.attention",
        "self_attn.shared.layer_norm": "bottleneck.attention.LayerNorm",
        "narrow": "bottleneck.input",
        "narrow.layer_norm": "bottleneck.input.LayerNorm",
        "widen": "output.bottleneck.dense",
        "widen_layer_norm": "output.bottleneck.LayerNorm",
    }
    for i in range(blocks):
        place = "" if i == blocks - 1 else f"ffn.{i}."
        names |= {
            f"blocks.{i}.mlp.fc1": f"{place}intermediate.dense",
            f"blocks.{i}.mlp.fc2": f"{place}output.dense",
            f"blocks.{i}.layer_norm": f"{place}output.LayerNorm",
        }
    return names


class FirstToken(nn.Module):
    """The state of the first token."""

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden[:, 0]


class MobileBertModel(MobileBertPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    layer_class = MobileBertLayer

    def __init__(self, config: MobileBertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config, add_pooling_layer)
        if add_pooling_layer and not config.classifier_activation:
            self.pooler = FirstToken()  # type: ignore[assignment]

    def embed_with(self, config: MobileBertConfig, width: int) -> TextEmbeddings:
        return MobileBertEmbeddings(config)


class MobileBertLMScores(nn.Module):
    """BERT's prediction head; a second table scores what the narrower table of tokens leaves over."""

    def __init__(self, config: MobileBertConfig) -> None:
        super().__init__()
        size, width = config.hidden_size, config.embedding_size
        self.dense = nn.Linear(size, size)
        self.act = activation(config.hidden_act)
        self.layer_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.decoder = Linear(width, config.vocab_size)
        self.rest = Linear(config.vocab_size, size - width, bias=False)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.layer_norm(self.act(self.dense(hidden)))
        width = self.decoder.in_features
        return self.decoder(hidden[..., :width]) + hidden[..., width:] @ self.rest.weight


class MobileBertLMHead(MobileBertPreTrainedModel):
    """The head that both objectives share."""

    base_class = MobileBertModel
    head_names = {**BERT_LM_HEAD, "lm_head.rest": "cls.predictions.dense"}

    def make_lm_head(self, config: MobileBertConfig) -> nn.Module:
        return MobileBertLMScores(config)


class MobileBertForMaskedLM(MobileBertLMHead, bert.BertForMaskedLM):
    """MobileBERT with a masked language modeling head."""


class MobileBertForPreTraining(MobileBertLMHead, bert.BertForPreTraining):
    """MobileBERT with both heads of its pre-training."""

    head_names = {**MobileBertLMHead.head_names, "seq_relationship": "cls.seq_relationship"}


class MobileBertForNextSentencePrediction(MobileBertPreTrainedModel, bert.BertForNextSentencePrediction):
    """MobileBERT with a next-sentence head."""

    base_class = MobileBertModel


class MobileBertForSequenceClassification(MobileBertPreTrainedModel, bert.BertForSequenceClassification):
    """MobileBERT with a classifier on the pooled output."""

    base_class = MobileBertModel


class MobileBertForMultipleChoice(MobileBertPreTrainedModel, bert.BertForMultipleChoice):
    """MobileBERT with one score for each choice."""

    base_class = MobileBertModel


class MobileBertForTokenClassification(MobileBertPreTrainedModel, bert.BertForTokenClassification):
    """MobileBERT with a classifier on each token."""

    base_class = MobileBertModel


class MobileBertForQuestionAnswering(MobileBertPreTrainedModel, bert.BertForQuestionAnswering):
    """MobileBERT with scores of an answer's first and last token."""

    base_class = MobileBertModel
