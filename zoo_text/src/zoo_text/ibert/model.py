"""I-BERT: RoBERTa that computes in integers, or in floats while it observes what ranges those need."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT, BERT_LAYER
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndCrossAttentions
from zoo_core.nn.embeddings import UnpaddedTextEmbeddings, check_positions
from zoo_core.nn.masks import FULL, AttentionContext
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, taken
from zoo_core.nn.stack import run_layers
from zoo_text.bert.model import Pooler
from zoo_text.ibert.config import IBertConfig
from zoo_text.ibert.integer import (
    IntGELU,
    IntLayerNorm,
    IntSoftmax,
    QuantAct,
    QuantEmbedding,
    QuantLinear,
    Scaled,
)
from zoo_text.roberta import model as roberta


class IBertPreTrainedModel(roberta.RobertaPreTrainedModel):
    """What all I-BERT classes share."""

    config_class = IBertConfig
    base_model_prefix = "ibert"
    supports_gradient_checkpointing = False  # a second pass would find other ranges than the first

    @property
    def always_float32(self) -> tuple[str, ...]:  # type: ignore[override]
        """All of a model in integers: half precision cannot hold them."""
        return ("*",) if self.config.quant_mode else ()

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Module:
        raise NotImplementedError(
            "the tables of I-BERT are quantised as a whole: resize those of the RoBERTa that it is made from"
        )


def layer_norm(config: IBertConfig) -> IntLayerNorm:
    quantized = config.quantizes("layernorm")
    return IntLayerNorm(config.hidden_size, eps=config.layer_norm_eps, quant_mode=quantized)


class IBertEmbeddings(UnpaddedTextEmbeddings):
    """Sums of quantised embeddings in 16 bits, then norm, dropout and 8 bits."""

    def __init__(self, config: IBertConfig) -> None:
        nn.Module.__init__(self)  # the tables are of another kind
        size, quantized = config.hidden_size, config.quant_mode
        pad = config.pad_token_id
        self.word_embeddings = QuantEmbedding(config.vocab_size, size, padding_idx=pad, quant_mode=quantized)
        self.token_type_embeddings = QuantEmbedding(config.type_vocab_size, size, quant_mode=quantized)
        self.position_embeddings = QuantEmbedding(
            config.max_position_embeddings, size, padding_idx=pad, quant_mode=quantized
        )
        self.embeddings_act1 = QuantAct(16, quant_mode=quantized)
        self.embeddings_act2 = QuantAct(16, quant_mode=quantized)  # stands in checkpoints, takes no part
        self.layer_norm = layer_norm(config)
        self.output_activation = QuantAct(8, quant_mode=quantized)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None,
        *,
        inputs_embeds: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> Scaled:
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        words = Scaled(inputs_embeds) if inputs_embeds is not None else self.word_embeddings(input_ids)
        if token_type_ids is None:
            token_type_ids = words.values.new_zeros(words.values.shape[:2], dtype=torch.int64)
        if position_ids is None:
            position_ids = self.default_positions(input_ids, words.values, 0)
        available, length = self.position_embeddings.num_embeddings, words.values.shape[1]
        check_positions(position_ids, available, length + 1)
        hidden = self.embeddings_act1(*words, residual=self.token_type_embeddings(token_type_ids))
        hidden = self.embeddings_act1(*hidden, residual=self.position_embeddings(position_ids))
        hidden = self.layer_norm(hidden)
        return self.output_activation(self.dropout(hidden.values), hidden.scale)


class IntAttention(nn.Module):
    """Self-attention whose queries, keys, values and weights are integers of 8 bits."""

    hub_names = {
        "q_act": "query_activation",
        "k_act": "key_activation",
        "v_act": "value_activation",
        "o_act": "output_activation",
    }

    def __init__(self, config: IBertConfig) -> None:
        super().__init__()
        size, quantized = config.hidden_size, config.quant_mode
        self.num_heads = config.num_attention_heads
        for name in ("q", "k", "v", "o"):
            self.add_module(f"{name}_proj", QuantLinear(size, size, quant_mode=quantized))
            self.add_module(f"{name}_act", QuantAct(8, quant_mode=quantized))
        self.softmax = IntSoftmax(quant_mode=config.quantizes("softmax"))
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def project(self, name: str, hidden: Scaled) -> Scaled:
        """(batch, sequence, hidden) to heads (batch, heads, sequence, width)."""
        projected = self.get_submodule(f"{name}_proj")(hidden)
        values, scale = self.get_submodule(f"{name}_act")(*projected)
        return Scaled(values.unflatten(-1, (self.num_heads, -1)).transpose(1, 2), scale)

    def forward(
        self, hidden: Scaled, context: AttentionContext, *, head_mask: Tensor | None = None
    ) -> Scaled:
        query, key, value = (self.project(name, hidden) for name in ("q", "k", "v"))
        root = query.values.shape[-1] ** 0.5
        scores = query.values @ key.values.transpose(2, 3) / root
        scale = None if query.scale is None or key.scale is None else query.scale * key.scale / root
        mask = context.mask(FULL, scores.shape[-1])
        if mask.bias is not None:
            scores = scores + mask.bias
        if mask.allowed is not None:
            scores = scores.masked_fill(~mask.allowed, torch.finfo(scores.dtype).min)
        weights, weight_scale = self.softmax(Scaled(scores, scale))
        weights = self.dropout(weights)
        if head_mask is not None:
            weights = weights * head_mask
        record(ATTENTIONS, weights)
        attended = (weights @ value.values).transpose(1, 2).flatten(2)
        known = weight_scale is not None and value.scale is not None
        attended = self.o_act(attended, weight_scale * value.scale if known else None)
        return self.o_proj(attended)


class IntMLP(nn.Module):
    """Two products with GELU between; each takes integers of 8 bits."""

    def __init__(self, config: IBertConfig) -> None:
        super().__init__()
        size, inner, quantized = config.hidden_size, config.intermediate_size, config.quant_mode
        self.fc1 = QuantLinear(size, inner, quant_mode=quantized)
        self.act = IntGELU(quant_mode=config.quantizes("gelu"))
        self.act_between = QuantAct(8, quant_mode=quantized)
        self.act_out = QuantAct(8, quant_mode=quantized)
        self.fc2 = QuantLinear(inner, size, quant_mode=quantized)

    def forward(self, x: Scaled) -> Scaled:
        x = self.act(self.fc1(x))
        return self.fc2(self.act_out(*self.act_between(*x)))


class Residual(nn.Module):
    """Dropout, the sum with the residual in 22 bits, the norm, and 8 bits again."""

    hub_names = {"layer_norm": "LayerNorm"}

    def __init__(self, config: IBertConfig) -> None:
        super().__init__()
        self.ln_input_act = QuantAct(22, quant_mode=config.quant_mode)
        self.layer_norm = layer_norm(config)
        self.output_activation = QuantAct(8, quant_mode=config.quant_mode)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, change: Scaled, hidden: Scaled) -> Scaled:
        total = self.ln_input_act(self.dropout(change.values), change.scale, hidden)
        return self.output_activation(*self.layer_norm(total))


class IBertLayer(nn.Module):
    """A post-norm layer on quantised states.

    As in the reference, it hands on the scale that it was given: every layer reads its input in units of the
    embeddings' scale, whatever its own output was rounded to.
    """

    hub_names = {
        **BERT_LAYER,
        "self_attn_sum": "attention.output",
        "mlp_act": "pre_intermediate_act",
        "mlp.act_between": "intermediate.output_activation",
        "mlp.act_out": "pre_output_act",
        "mlp_sum": "output",
    }

    def __init__(self, config: IBertConfig) -> None:
        super().__init__()
        self.self_attn, self.self_attn_sum = IntAttention(config), Residual(config)
        self.mlp_act = QuantAct(8, quant_mode=config.quant_mode)
        self.mlp, self.mlp_sum = IntMLP(config), Residual(config)

    def forward(
        self, hidden: Scaled, context: AttentionContext, *, head_mask: Tensor | None = None
    ) -> Scaled:
        scale = hidden.scale
        hidden = self.self_attn_sum(self.self_attn(hidden, context, head_mask=head_mask), hidden)
        hidden = self.mlp_act(*hidden)
        return Scaled(self.mlp_sum(self.mlp(hidden), hidden).values, scale)


class IBertModel(IBertPreTrainedModel):
    """The encoder without a head."""

    hub_names = BERT

    def __init__(self, config: IBertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = IBertEmbeddings(config)
        self.layers = nn.ModuleList(IBertLayer(config) for _ in range(config.num_hidden_layers))
        self.pooler = Pooler(config.hidden_size) if add_pooling_layer else None
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, hidden)."""
        embedded: Any = self.embeddings(
            input_ids, inputs_embeds=inputs_embeds, token_type_ids=token_type_ids, position_ids=position_ids
        )
        context = AttentionContext(embedded.values, attention_mask)
        hidden: Any = run_layers(self.layers, embedded, context, head_mask=head_mask)
        states = tuple(state.values for state in taken(HIDDEN_STATES))
        return BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden.values,
            pooler_output=None if self.pooler is None else self.pooler(hidden.values),
            hidden_states=states or None,
        )


class IBertForMaskedLM(IBertPreTrainedModel, roberta.RobertaForMaskedLM):
    """I-BERT with a masked language modeling head."""

    base_class = IBertModel


class IBertForSequenceClassification(IBertPreTrainedModel, roberta.RobertaForSequenceClassification):
    """I-BERT with a classifier on the first token."""

    base_class = IBertModel


class IBertForMultipleChoice(IBertPreTrainedModel, roberta.RobertaForMultipleChoice):
    """I-BERT with one score for each choice."""

    base_class = IBertModel


class IBertForTokenClassification(IBertPreTrainedModel, roberta.RobertaForTokenClassification):
    """I-BERT with a classifier on each token."""

    base_class = IBertModel


class IBertForQuestionAnswering(IBertPreTrainedModel, roberta.RobertaForQuestionAnswering):
    """I-BERT with scores of an answer's first and last token."""

    base_class = IBertModel
