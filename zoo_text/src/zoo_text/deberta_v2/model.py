"""DeBERTa-v2: attention to content and to relative positions, kept apart."""

from __future__ import annotations

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
from zoo_core.nn.disentangled import DisentangledAttention, RelativePositions
from zoo_core.nn.embeddings import embed
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext, pair_scores
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


class DebertaV2Model(RelativePositions, DebertaV2PreTrainedModel):
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
        self.make_relative_positions(config)
        self.post_init()

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
        context = AttentionContext(hidden, pair_scores(mask, hidden.dtype))
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
