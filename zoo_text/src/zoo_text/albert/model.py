"""ALBERT: few layers that are run many times, and narrow embeddings."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.heads.language import ForMaskedLM, LMTransform
from zoo_core.heads.pooled import ForMultipleChoice, ForSequenceClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.relative_key import RelativeKeyAttention, relative_or_plain
from zoo_core.nn.stack import run_layers
from zoo_text.albert.config import AlbertConfig
from zoo_text.bert.model import LM_TIE


class AlbertPreTrainedModel(PreTrainedModel):
    """What all ALBERT classes share."""

    config_class = AlbertConfig
    base_model_prefix = "albert"


class AlbertLayer(PostNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = {
        "self_attn.q_proj": "attention.query",
        "self_attn.k_proj": "attention.key",
        "self_attn.v_proj": "attention.value",
        "self_attn.o_proj": "attention.dense",
        "self_attn.distance_embedding": "attention.distance_embedding",
        "self_attn_layer_norm": "attention.LayerNorm",
        "mlp.fc1": "ffn",
        "mlp.fc2": "ffn_output",
        "final_layer_norm": "full_layer_layer_norm",
    }

    def __init__(self, config: AlbertConfig) -> None:
        attention, positions = relative_or_plain(
            config.position_embedding_type, config.max_position_embeddings
        )
        size, dropout = config.hidden_size, config.attention_probs_dropout_prob
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=attention(size, config.num_attention_heads, dropout=dropout, **positions),
            mlp=MLP(size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )
        if isinstance(self.self_attn, RelativeKeyAttention):
            self.self_attn.scales_bias = False


class AlbertGroup(nn.Module):
    """Layers that are run one after the other as one step of the stack."""

    hub_names = {"layers": "albert_layers"}

    def __init__(self, config: AlbertConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(AlbertLayer(config) for _ in range(config.inner_group_num))

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        for layer in self.layers:
            hidden = layer(hidden, context, **attention)
        return hidden


class AlbertModel(AlbertPreTrainedModel):
    """Embeddings, their projection, groups of layers, and unless switched off the pooler."""

    hub_names = {
        "embeddings.layer_norm": "embeddings.LayerNorm",
        "embedding_projection": "encoder.embedding_hidden_mapping_in",
        "groups": "encoder.albert_layer_groups",
    }

    def __init__(self, config: AlbertConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = TextEmbeddings(
            config.vocab_size,
            config.embedding_size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        self.embeddings.adds_positions = config.position_embedding_type == "absolute"
        self.embedding_projection = nn.Linear(config.embedding_size, config.hidden_size)
        self.groups = nn.ModuleList(AlbertGroup(config) for _ in range(config.num_hidden_groups))
        self.repeats = config.num_hidden_layers // config.num_hidden_groups
        self.pooler = nn.Linear(config.hidden_size, config.hidden_size) if add_pooling_layer else None
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
    ) -> BaseModelOutputWithPooling:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, hidden)."""
        hidden = self.embeddings(
            input_ids,
            inputs_embeds=inputs_embeds,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
        )
        hidden = self.embedding_projection(hidden)
        steps = [group for group in self.groups for _ in range(self.repeats)]
        hidden = run_layers(steps, hidden, AttentionContext(hidden, attention_mask), head_mask=head_mask)
        pooled = None if self.pooler is None else self.pooler(hidden[:, 0]).tanh()
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


class AlbertForMaskedLM(ForMaskedLM, AlbertPreTrainedModel):
    """ALBERT with a masked language modeling head."""

    base_class = AlbertModel
    base_options = {"add_pooling_layer": False}
    head_names = {
        "lm_head.dense": "predictions.dense",
        "lm_head.layer_norm": "predictions.LayerNorm",
        "lm_head.decoder.bias": "predictions.bias",
        "lm_head.decoder": "predictions.decoder",
    }
    aliases = {"predictions.decoder.bias": "predictions.bias"}
    tied_weights = LM_TIE

    def make_lm_head(self, config: AlbertConfig) -> nn.Module:
        size, inner = config.hidden_size, config.embedding_size
        act, eps = config.hidden_act, config.layer_norm_eps
        return LMTransform(size, config.vocab_size, act=act, eps=eps, inner_size=inner)


class AlbertForPreTrainingOutput(ModelOutput):
    """Both objectives: token scores (batch, sequence, vocabulary) and sentence-order scores (batch, 2)."""

    loss: Tensor | None = None
    prediction_logits: Tensor
    sop_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class AlbertForPreTraining(AlbertForMaskedLM):
    """ALBERT with both heads of its pre-training."""

    base_options = {}
    head_names = {**AlbertForMaskedLM.head_names, "sop_classifier": "sop_classifier.classifier"}

    def build_head(self, config: AlbertConfig) -> None:
        super().build_head(config)
        self.sop_dropout = nn.Dropout(config.classifier_dropout_prob)
        self.sop_classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        sentence_order_label: Tensor | None = None,
        **inputs: Any,
    ) -> AlbertForPreTrainingOutput:
        outputs = self.model(input_ids, **inputs)
        prediction = self.lm_head(outputs.last_hidden_state)
        order = self.sop_classifier(self.sop_dropout(outputs.pooler_output))
        loss = None
        if labels is not None and sentence_order_label is not None:
            loss = token_loss(prediction, labels) + token_loss(order, sentence_order_label)
        return AlbertForPreTrainingOutput.carry(
            outputs, loss=loss, prediction_logits=prediction, sop_logits=order
        )


class AlbertForSequenceClassification(ForSequenceClassification, AlbertPreTrainedModel):
    """ALBERT with a classifier on the pooled output."""

    base_class = AlbertModel


class AlbertForMultipleChoice(ForMultipleChoice, AlbertPreTrainedModel):
    """ALBERT with one score for each choice."""

    base_class = AlbertModel


class AlbertForTokenClassification(ForTokenClassification, AlbertPreTrainedModel):
    """ALBERT with a classifier on each token."""

    base_class = AlbertModel
    base_options = {"add_pooling_layer": False}


class AlbertForQuestionAnswering(ForQuestionAnswering, AlbertPreTrainedModel):
    """ALBERT with scores of an answer's first and last token."""

    base_class = AlbertModel
    base_options = {"add_pooling_layer": False}
