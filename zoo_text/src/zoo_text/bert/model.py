"""BERT (https://arxiv.org/abs/1810.04805): an encoder of post-norm layers, and its heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT, BERT_LAYER, BERT_LM_HEAD
from zoo_core.heads.language import ForCausalLM, ForMaskedLM, LMTransform
from zoo_core.heads.pooled import ForMultipleChoice, ForNextSentencePrediction, ForSequenceClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    ModelOutput,
)
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.layer import PostNormLayer, PreNormLayer
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.relative_key import relative_or_plain
from zoo_core.nn.stack import run_layers
from zoo_text.bert.config import BertConfig


class BertPreTrainedModel(PreTrainedModel):
    """What all BERT classes share."""

    config_class = BertConfig
    base_model_prefix = "bert"
    ignored_names = ("*position_ids",)
    aliases = {"cls.predictions.decoder.bias": "cls.predictions.bias"}


def layer_parts(config: BertConfig, layer_idx: int) -> dict[str, Any]:
    """The arguments of a layer of BERT's family, whatever its wiring."""
    attention, positions = relative_or_plain(
        getattr(config, "position_embedding_type", None), config.max_position_embeddings
    )
    attention = partial(
        attention,
        config.hidden_size,
        config.num_attention_heads,
        dropout=config.attention_probs_dropout_prob,
        layer_idx=layer_idx,
        **positions,
    )
    return {
        "size": config.hidden_size,
        "norm": partial(nn.LayerNorm, eps=config.layer_norm_eps),
        "self_attn": attention(rule=CAUSAL if config.is_decoder else FULL),
        "cross_attn": attention(cross=True) if config.add_cross_attention else None,
        "mlp": MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
        "dropout": config.hidden_dropout_prob,
    }


class BertLayer(PostNormLayer):
    """Self-attention, cross-attention in a decoder that has it, and a feed-forward block."""

    hub_names = BERT_LAYER

    def __init__(self, config: BertConfig, layer_idx: int) -> None:
        super().__init__(**layer_parts(config, layer_idx))


class PreNormBertLayer(PreNormLayer):
    """The same with the norms before the blocks; a family adds its names for them."""

    hub_names = BERT_LAYER

    def __init__(self, config: BertConfig, layer_idx: int) -> None:
        super().__init__(**layer_parts(config, layer_idx))


class Pooler(nn.Module):
    """Dense layer and tanh on the first token."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.dense = nn.Linear(size, size)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.dense(hidden[:, 0]).tanh()


class BertModel(BertPreTrainedModel):
    """Embeddings, layers, and unless switched off the pooler.

    With `is_decoder` in the config attention is causal and a cache may be used; with
    `add_cross_attention` also, layers attend to `encoder_hidden_states`.
    """

    hub_names = BERT
    embeddings_class: ClassVar[type[TextEmbeddings]] = TextEmbeddings
    layer_class: ClassVar[Callable[..., nn.Module]] = BertLayer
    #: whether a norm follows the last layer
    final_norm: ClassVar[bool] = False
    #: see `AttentionContext`
    blind_queries_average: ClassVar[bool] = False

    def __init__(self, config: BertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.make_embeddings(config)
        self.layers = nn.ModuleList(self.layer_class(config, i) for i in range(config.num_hidden_layers))
        size, eps = config.hidden_size, config.layer_norm_eps
        self.norm = nn.LayerNorm(size, eps=eps) if self.final_norm else None
        self.pooler = Pooler(config.hidden_size) if add_pooling_layer else None
        self.post_init()

    def make_embeddings(self, config: BertConfig) -> None:
        """Create `embeddings`, and whatever else `embed` needs."""
        self.embeddings = self.embed_with(config, config.hidden_size)

    def embed_with(self, config: BertConfig, width: int) -> TextEmbeddings:
        """Embeddings of `width`."""
        embeddings = self.embeddings_class(
            config.vocab_size,
            width,
            max_positions=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        kind = getattr(config, "position_embedding_type", None)
        embeddings.adds_positions = kind in (None, "absolute")
        return embeddings

    def finish(self, hidden: Tensor) -> Tensor:
        """What happens to the states after the last that is recorded."""
        return hidden

    def embed(self, input_ids: Tensor | None, **inputs: Any) -> Tensor:
        """(batch, sequence) to (batch, sequence, hidden)."""
        return self.embeddings(input_ids, **inputs)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        head_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        layer_inputs: Mapping[str, Any] | None = None,
        embedding_inputs: Mapping[str, Any] | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, hidden).

        `layer_inputs` and `embedding_inputs` are further keywords that layers and embeddings of a relative
        take.
        """
        cache = self.cache_for(past_key_values, use_cache) if self.config.is_decoder else None
        hidden = self.embed(
            input_ids,
            inputs_embeds=inputs_embeds,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            past_length=0 if cache is None else cache.length,
            **(embedding_inputs or {}),
        )
        context = AttentionContext(
            hidden,
            attention_mask,
            cache=cache,
            positions=cache_position,
            encoder_states=encoder_hidden_states,
            encoder_padding=encoder_attention_mask,
        )
        context.blind_queries_average = self.blind_queries_average
        hidden = run_layers(
            self.layers, hidden, context, norm=self.norm, head_mask=head_mask, **(layer_inputs or {})
        )
        hidden = self.finish(hidden)
        return BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=None if self.pooler is None else self.pooler(hidden),
            past_key_values=cache,
        )


class BertForPreTrainingOutput(ModelOutput):
    """Both objectives: token scores (batch, sequence, vocabulary) and next-sentence scores (batch, 2)."""

    loss: Tensor | None = None
    prediction_logits: Tensor
    seq_relationship_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


LM_TIE = {"lm_head.decoder.weight": "model.embeddings.word_embeddings.weight"}


class BertForMaskedLM(ForMaskedLM, BertPreTrainedModel):
    """BERT with a masked language modeling head."""

    base_class = BertModel
    base_options = {"add_pooling_layer": False}
    head_names = BERT_LM_HEAD
    tied_weights = LM_TIE


class BertForPreTraining(ForMaskedLM, BertPreTrainedModel):
    """BERT with both heads of its pre-training."""

    base_class = BertModel
    head_names = {**BERT_LM_HEAD, "seq_relationship": "cls.seq_relationship"}
    tied_weights = LM_TIE

    def build_head(self, config: BertConfig) -> None:
        super().build_head(config)
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        next_sentence_label: Tensor | None = None,
        **inputs: Any,
    ) -> BertForPreTrainingOutput:
        outputs = self.model(input_ids, **inputs)
        prediction = self.lm_head(outputs.last_hidden_state)
        relationship = self.seq_relationship(outputs.pooler_output)
        loss = None
        if labels is not None and next_sentence_label is not None:
            loss = token_loss(prediction, labels) + token_loss(relationship, next_sentence_label)
        return BertForPreTrainingOutput.carry(
            outputs, loss=loss, prediction_logits=prediction, seq_relationship_logits=relationship
        )


class BertLMHeadModel(ForCausalLM, BertPreTrainedModel):
    """BERT as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = BertModel
    base_options = {"add_pooling_layer": False}
    head_names = BERT_LM_HEAD
    tied_weights = LM_TIE
    output_class = CausalLMOutputWithCrossAttentions

    def make_lm_head(self, config: BertConfig) -> nn.Module:
        act, eps = config.hidden_act, config.layer_norm_eps
        return LMTransform(config.hidden_size, config.vocab_size, act=act, eps=eps)


class BertForNextSentencePrediction(ForNextSentencePrediction, BertPreTrainedModel):
    """BERT with a next-sentence head."""

    base_class = BertModel
    head_names = {"seq_relationship": "cls.seq_relationship"}


class BertForSequenceClassification(ForSequenceClassification, BertPreTrainedModel):
    """BERT with a classifier on the pooled output."""

    base_class = BertModel


class BertForMultipleChoice(ForMultipleChoice, BertPreTrainedModel):
    """BERT with one score for each choice."""

    base_class = BertModel


class BertForTokenClassification(ForTokenClassification, BertPreTrainedModel):
    """BERT with a classifier on each token."""

    base_class = BertModel
    base_options = {"add_pooling_layer": False}


class BertForQuestionAnswering(ForQuestionAnswering, BertPreTrainedModel):
    """BERT with scores of an answer's first and last token."""

    base_class = BertModel
    base_options = {"add_pooling_layer": False}
