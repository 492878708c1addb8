"""DeBERTa-v2: attention to content and to relative positions, kept apart."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LAYER, BERT_LM_HEAD
from zoo_core.heads.language import ForMaskedLM, LMTransform
from zoo_core.heads.pooled import ForMultipleChoice, ForSequenceClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, BaseModelOutputWithPooling
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import embed
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers
from zoo_text.bert.model import LM_TIE
from zoo_text.deberta_v2.config import DebertaV2Config


class DebertaV2PreTrainedModel(PreTrainedModel):
    """What all DeBERTa-v2 classes share."""

    config_class = DebertaV2Config
    base_model_prefix = "deberta"
    ignored_names = ("*position_ids",)


class DebertaEmbeddings(nn.Module):
    """Words, and where the config says so positions and segments; norm; padding is zero."""

    hub_names = {"layer_norm": "LayerNorm"}

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__()
        width = getattr(config, "embedding_size", None) or config.hidden_size
        self.word_embeddings = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.position_embeddings: nn.Embedding | None = None
        if config.position_biased_input:
            self.position_embeddings = nn.Embedding(config.max_position_embeddings, width)
        self.token_type_embeddings: nn.Embedding | None = None
        if config.type_vocab_size:
            self.token_type_embeddings = nn.Embedding(config.type_vocab_size, width)
        self.embed_proj: nn.Linear | None = None
        if width != config.hidden_size:
            self.embed_proj = nn.Linear(width, config.hidden_size, bias=False)
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(
        self,
        input_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        token_type_ids: Tensor | None,
        position_ids: Tensor | None,
        mask: Tensor | None,
    ) -> Tensor:
        """ids, or vectors, to (batch, sequence, hidden); `mask` (batch, sequence) is zero for padding."""
        hidden = embed(self.word_embeddings, input_ids, inputs_embeds)
        if self.position_embeddings is not None:
            if position_ids is None:
                position_ids = torch.arange(hidden.shape[1], device=hidden.device)
            hidden = hidden + self.position_embeddings(position_ids)
        if self.token_type_embeddings is not None:
            table = self.token_type_embeddings
            hidden = hidden + (table.weight[0] if token_type_ids is None else table(token_type_ids))
        if self.embed_proj is not None:
            hidden = self.embed_proj(hidden)
        hidden = self.layer_norm(hidden)
        if mask is not None:
            hidden = hidden * mask[..., None].to(hidden.dtype)
        return self.dropout(hidden)


class DisentangledAttention(Attention):
    """Scores of content with content, content with positions ("c2p") and positions with content ("p2c").

    All share one scale, which counts the terms. `context.shared` holds the embeddings of the relative
    positions and the index (Q, K) of each pair of tokens among them.
    """

    def __init__(self, config: DebertaV2Config) -> None:
        self.kinds = [k for k in config.pos_att_type or () if k in ("c2p", "p2c")]
        terms = 1 + self.terms(config)
        size, heads = config.hidden_size, config.num_attention_heads
        super().__init__(
            size, heads, scale=(size // heads * terms) ** -0.5, dropout=config.attention_probs_dropout_prob
        )
        self.position_dropout = nn.Dropout(config.hidden_dropout_prob)
        if config.relative_attention:
            self.make_position_projections(config)

    def terms(self, config: DebertaV2Config) -> int:
        """How many terms are added to that of the contents; they count even where positions are off."""
        return len(self.kinds)

    def make_position_projections(self, config: DebertaV2Config) -> None:
        """Create what `position_key` and `position_query` use."""
        self.share = config.share_att_key
        if not self.share and "c2p" in self.kinds:
            self.pos_key_proj = nn.Linear(config.hidden_size, config.hidden_size)
        if not self.share and "p2c" in self.kinds:
            self.pos_query_proj = nn.Linear(config.hidden_size, config.hidden_size)

    def position_key(self, positions: Tensor) -> Tensor:
        """Keys of relative positions (1, number, hidden)."""
        return self.k_proj(positions) if self.share else self.pos_key_proj(positions)

    def position_query(self, positions: Tensor) -> Tensor:
        """Queries of relative positions (1, number, hidden)."""
        return self.q_proj(positions) if self.share else self.pos_query_proj(positions)

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor | None:
        if "relative" not in context.shared or not self.kinds:
            return None
        positions = self.position_dropout(context.shared["relative"])[None]
        index = context.shared["index"].expand(*query.shape[:2], -1, -1)
        bias = torch.zeros((), dtype=query.dtype, device=query.device)
        if "c2p" in self.kinds:
            scores = query @ self.split(self.position_key(positions)).transpose(2, 3)
            bias = bias + scores.gather(-1, index)
        if "p2c" in self.kinds:
            scores = self.split(self.position_query(positions)) @ key.transpose(2, 3)
            bias = bias + scores.gather(-2, index)
        return bias * self.scale


class DebertaConvolution(nn.Module):
    """A convolution over the embeddings, added to the first layer's output."""

    hub_names = {"layer_norm": "LayerNorm"}

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__()
        size, kernel = config.hidden_size, config.conv_kernel_size
        self.conv = nn.Conv1d(size, size, kernel, padding=(kernel - 1) // 2, groups=config.conv_groups)
        self.layer_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.act = activation(config.conv_act)

    def forward(self, hidden: Tensor, output: Tensor, kept: Tensor | None) -> Tensor:
        found = self.conv(hidden.transpose(1, 2)).transpose(1, 2)
        if kept is not None:
            found = found * kept
        output = self.layer_norm(output + self.act(self.dropout(found)))
        return output if kept is None else output * kept


class DebertaLayer(PostNormLayer):
    """Self-attention and a feed-forward block; the first layer may have a convolution beside it."""

    attention_class: ClassVar[type[DisentangledAttention]] = DisentangledAttention
    hub_names = BERT_LAYER | {
        "self_attn.q_proj": "attention.self.query_proj",
        "self_attn.k_proj": "attention.self.key_proj",
        "self_attn.v_proj": "attention.self.value_proj",
    }

    def __init__(self, config: DebertaV2Config, layer_idx: int) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=self.attention_class(config),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )
        beside = layer_idx == 0 and getattr(config, "conv_kernel_size", 0) > 0
        self.conv = DebertaConvolution(config) if beside else None

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        output = super().forward(hidden, context, **attention)
        return output if self.conv is None else self.conv(hidden, output, context.shared.get("kept"))


def log_buckets(distance: Tensor, buckets: int, max_distance: int) -> Tensor:
    """Distances of either sign; those beyond half of `buckets` share logarithmically growing buckets."""
    middle = buckets // 2
    size = distance.abs().clamp(min=1).float()
    grown = (size / middle).log() / math.log((max_distance - 1) / middle) * (middle - 1)
    far = (grown.ceil() + middle) * distance.sign()
    return torch.where(distance.abs() <= middle, distance, far.long())


class DebertaV2Model(DebertaV2PreTrainedModel):
    """The encoder without a head."""

    layer_class: ClassVar[type[DebertaLayer]] = DebertaLayer
    hub_names = {
        "layers": "encoder.layer",
        "layers.0.conv": "encoder.conv",
        "rel_embeddings": "encoder.rel_embeddings",
        "rel_norm": "encoder.LayerNorm",
    }

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__(config)
        self.embeddings = DebertaEmbeddings(config)
        self.layers = nn.ModuleList(self.layer_class(config, i) for i in range(config.num_hidden_layers))
        self.buckets = getattr(config, "position_buckets", -1)
        self.farthest = config.max_relative_positions
        if self.farthest < 1:
            self.farthest = config.max_position_embeddings
        self.rel_embeddings: nn.Embedding | None = None
        self.rel_norm: nn.LayerNorm | None = None
        if config.relative_attention:
            self.reach = self.buckets if self.buckets > 0 else self.farthest
            self.rel_embeddings = nn.Embedding(2 * self.reach, config.hidden_size)
            if "layer_norm" in getattr(config, "norm_rel_ebd", ""):
                self.rel_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def prepare_positions(self, context: AttentionContext) -> None:
        """Leave the embeddings of relative positions, and the index of each pair, for all layers."""
        if self.rel_embeddings is None:
            return
        distance = context.positions[:, None] - context.positions
        if self.buckets > 0:
            distance = log_buckets(distance, self.buckets, self.farthest)
        context.shared["index"] = (distance + self.reach).clamp(0, 2 * self.reach - 1)
        table = self.rel_embeddings.weight
        context.shared["relative"] = table if self.rel_norm is None else self.rel_norm(table)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
    ) -> BaseModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden)."""
        mask = attention_mask
        hidden = self.embeddings(input_ids, inputs_embeds, token_type_ids, position_ids, mask)
        scores = None
        if mask is not None:  # padding neither sees nor is seen; its rows average all values
            pairs = (mask[:, None, :, None] * mask[:, None, None, :]) != 0
            scores = torch.zeros_like(pairs, dtype=hidden.dtype)
            scores = scores.masked_fill(~pairs, torch.finfo(hidden.dtype).min)
        context = AttentionContext(hidden, scores)
        if mask is not None:
            context.shared["kept"] = mask[..., None].to(hidden.dtype)
        self.prepare_positions(context)
        return BaseModelOutput(last_hidden_state=run_layers(self.layers, hidden, context))


class DebertaPooled(DebertaV2Model):
    """The encoder, and a dense layer and an activation on the first token."""

    def __init__(self, config: DebertaV2Config) -> None:
        super().__init__(config)
        self.pooler_dropout = nn.Dropout(config.pooler_dropout)
        self.pooler = nn.Linear(config.pooler_hidden_size or config.hidden_size, config.pooler_hidden_size)
        self.pooler_act = activation(config.pooler_hidden_act)
        self.post_init()

    def forward(self, input_ids: Tensor | None = None, **inputs: Any) -> BaseModelOutputWithPooling:
        hidden = super().forward(input_ids, **inputs).last_hidden_state
        pooled = self.pooler_act(self.pooler(self.pooler_dropout(hidden[:, 0])))
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


POOLER = {"model.pooler": "pooler.dense"}


class DebertaV2ForMaskedLM(ForMaskedLM, DebertaV2PreTrainedModel):
    """DeBERTa-v2 with a masked language modeling head; `legacy` says how files call it."""

    base_class = DebertaV2Model
    tied_weights = LM_TIE

    def make_lm_head(self, config: DebertaV2Config) -> nn.Module:
        table = "lm_predictions.lm_head"
        self.head_names = (
            BERT_LM_HEAD
            if config.legacy
            else {
                "lm_head": table,
                "lm_head.layer_norm": f"{table}.LayerNorm",
                "lm_head.decoder.bias": f"{table}.bias",
            }
        )
        width = getattr(config, "embedding_size", None) or config.hidden_size
        return LMTransform(
            config.hidden_size,
            config.vocab_size,
            act=config.hidden_act,
            eps=config.layer_norm_eps,
            inner_size=width,
        )


class DebertaV2ForSequenceClassification(ForSequenceClassification, DebertaV2PreTrainedModel):
    """DeBERTa-v2 with a classifier on the pooled output."""

    base_class = DebertaPooled
    head_names = POOLER


class DebertaV2ForMultipleChoice(ForMultipleChoice, DebertaV2PreTrainedModel):
    """DeBERTa-v2 with one score for each choice."""

    base_class = DebertaPooled
    head_names = POOLER


class DebertaV2ForTokenClassification(ForTokenClassification, DebertaV2PreTrainedModel):
    """DeBERTa-v2 with a classifier on each token."""

    base_class = DebertaV2Model


class DebertaV2ForQuestionAnswering(ForQuestionAnswering, DebertaV2PreTrainedModel):
    """DeBERTa-v2 with scores of an answer's first and last token."""

    base_class = DebertaV2Model
