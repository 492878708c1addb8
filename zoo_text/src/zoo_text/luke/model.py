"""LUKE: a RoBERTa over words and entities, with queries that depend on which of both they look at."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT, BERT_LAYER
from zoo_core.heads.base import Headed, classifier_dropout
from zoo_core.heads.language import LMTransform
from zoo_core.heads.pooled import ForMultipleChoice, ForSequenceClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import UnpaddedTextEmbeddings
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import HIDDEN_STATES, taken
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.stack import run_layers
from zoo_text.bert.model import LM_TIE, BertLayer, Pooler
from zoo_text.luke import outputs as out
from zoo_text.luke.config import LukeConfig


class LukePreTrainedModel(PreTrainedModel):
    """What all LUKE classes share."""

    config_class = LukeConfig
    base_model_prefix = "luke"
    ignored_names = ("*position_ids",)


class EntityAwareAttention(Attention):
    """Attention with one query for words and one for entities (section 3.2 of the paper).

    Both stand beside each other in one of twice the width; a key fills the half of its kind.
    """

    def __init__(self, config: LukeConfig) -> None:
        size = config.hidden_size
        super().__init__(size, config.num_attention_heads, dropout=config.attention_probs_dropout_prob)
        self.w2e_query, self.e2w_query, self.e2e_query = (Linear(size, size) for _ in range(3))

    def inputs(
        self, hidden: Tensor, context: AttentionContext, rotary: RotaryTables | None
    ) -> tuple[Tensor, Tensor, Tensor, Any]:
        query, key, value, mask = super().inputs(hidden, context, rotary)
        if "words" not in context.shared:
            return query, key, value, mask
        is_word = context.shared["words"]
        words, entities = hidden[:, is_word], hidden[:, ~is_word]
        to_words = torch.cat([query[:, :, is_word], self.split(self.e2w_query(entities))], dim=2)
        to_entities = [self.split(self.w2e_query(words)), self.split(self.e2e_query(entities))]
        query = torch.cat([to_words, torch.cat(to_entities, dim=2)], dim=-1)
        own = is_word[:, None]
        key = torch.cat([key * own, key * ~own], dim=-1)
        return query, key, value, mask


class LukeLayer(BertLayer):
    """A layer of BERT, with this attention unless switched off."""

    hub_names = {
        **BERT_LAYER,
        **{f"self_attn.{name}": f"attention.self.{name}" for name in ("w2e_query", "e2w_query", "e2e_query")},
    }

    def __init__(self, config: LukeConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)  # type: ignore[arg-type]
        if config.use_entity_aware_attention:
            self.self_attn = EntityAwareAttention(config)


class EntityEmbeddings(nn.Module):
    """An entity's own vector, the mean of its mentions' positions, and its segment."""

    hub_names = {"layer_norm": "LayerNorm"}

    def __init__(self, config: LukeConfig) -> None:
        super().__init__()
        size, width = config.hidden_size, config.entity_emb_size
        self.entity_embeddings = nn.Embedding(config.entity_vocab_size, width, padding_idx=0)
        self.entity_embedding_dense = None if width == size else nn.Linear(width, size, bias=False)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, size)
        self.layer_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, entity_ids: Tensor, position_ids: Tensor, token_type_ids: Tensor | None) -> Tensor:
        """ids (batch, entities) with positions (batch, entities, mention length; -1 for none) to states."""
        hidden = self.entity_embeddings(entity_ids)
        if self.entity_embedding_dense is not None:
            hidden = self.entity_embedding_dense(hidden)
        there = (position_ids != -1).to(hidden.dtype)[..., None]
        positions = self.position_embeddings(position_ids.clamp(min=0)) * there
        hidden = hidden + positions.sum(-2) / there.sum(-2).clamp(min=1e-7)
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(entity_ids)
        return self.dropout(self.layer_norm(hidden + self.token_type_embeddings(token_type_ids)))


class LukeModel(LukePreTrainedModel):
    """The encoder without a head; without `entity_ids` it sees words alone."""

    hub_names = BERT

    def __init__(self, config: LukeConfig, add_pooling_layer: bool = True) -> None:
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
        self.entity_embeddings = EntityEmbeddings(config)
        self.layers = nn.ModuleList(LukeLayer(config, i) for i in range(config.num_hidden_layers))
        self.pooler = Pooler(config.hidden_size) if add_pooling_layer else None
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        entity_ids: Tensor | None = None,
        entity_attention_mask: Tensor | None = None,
        entity_token_type_ids: Tensor | None = None,
        entity_position_ids: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> out.BaseLukeModelOutputWithPooling:
        """ids (batch, sequence) and entity_ids (batch, entities) to the states of both.

        entity_position_ids: (batch, entities, mention length), positions of the entity's words, then -1.
        """
        hidden = self.embeddings(
            input_ids, inputs_embeds=inputs_embeds, token_type_ids=token_type_ids, position_ids=position_ids
        )
        words = hidden.shape[1]
        if entity_ids is not None:
            if entity_position_ids is None:
                raise ValueError("entity_ids need entity_position_ids, the positions of each entity's words")
            entities = self.entity_embeddings(entity_ids, entity_position_ids, entity_token_type_ids)
            if attention_mask is not None or entity_attention_mask is not None:
                given = attention_mask, entity_attention_mask
                attention_mask = torch.cat(
                    [
                        x.new_ones(x.shape[:2]) if m is None else m.to(x.dtype)
                        for x, m in zip((hidden, entities), given, strict=True)
                    ],
                    dim=1,
                )
            hidden = torch.cat([hidden, entities], dim=1)
        context = AttentionContext(hidden, attention_mask)
        if entity_ids is not None:
            context.shared["words"] = torch.arange(hidden.shape[1], device=hidden.device) < words
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask)
        states = taken(HIDDEN_STATES)
        return out.BaseLukeModelOutputWithPooling(
            last_hidden_state=hidden[:, :words],
            pooler_output=None if self.pooler is None else self.pooler(hidden),
            hidden_states=tuple(x[:, :words] for x in states) or None,
            entity_last_hidden_state=None if entity_ids is None else hidden[:, words:],
            entity_hidden_states=(tuple(x[:, words:] for x in states) or None)
            if entity_ids is not None
            else None,
        )


class LukeForMaskedLM(Headed, LukePreTrainedModel):
    """LUKE with scores of masked words and of masked entities."""

    base_class = LukeModel
    head_names = {
        "lm_head.decoder.bias": "lm_head.bias",
        "entity_predictions.dense": "entity_predictions.transform.dense",
        "entity_predictions.layer_norm": "entity_predictions.transform.LayerNorm",
        "entity_predictions.decoder.bias": "entity_predictions.bias",
    }
    aliases = {"lm_head.decoder.bias": "lm_head.bias"}
    tied_weights = {
        **LM_TIE,
        "entity_predictions.decoder.weight": "model.entity_embeddings.entity_embeddings.weight",
    }

    def build_head(self, config: LukeConfig) -> None:
        size, eps = config.hidden_size, config.layer_norm_eps
        self.lm_head = LMTransform(size, config.vocab_size, act="gelu", eps=eps)
        self.entity_predictions = LMTransform(
            size, config.entity_vocab_size, act=config.hidden_act, eps=eps, inner_size=config.entity_emb_size
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        entity_labels: Tensor | None = None,
        **inputs: Any,
    ) -> out.LukeMaskedLMOutput:
        """labels (batch, sequence) and entity_labels (batch, entities), -100 for what does not count."""
        outputs = self.model(input_ids, **inputs)
        logits = self.lm_head(outputs.last_hidden_state)
        entities, entity_logits = outputs.entity_last_hidden_state, None
        mlm_loss = None if labels is None else token_loss(logits, labels)
        mep_loss = None
        if entities is not None:
            entity_logits = self.entity_predictions(entities)
            mep_loss = None if entity_labels is None else token_loss(entity_logits, entity_labels)
        losses = [loss for loss in (mlm_loss, mep_loss) if loss is not None]
        return out.LukeMaskedLMOutput.carry(
            outputs,
            loss=torch.stack(losses).sum() if losses else None,
            mlm_loss=mlm_loss,
            mep_loss=mep_loss,
            logits=logits,
            entity_logits=entity_logits,
        )


class LukeForEntityClassification(Headed, LukePreTrainedModel):
    """LUKE with a classifier on the first entity."""

    base_class = LukeModel
    output_class: ClassVar[type[ModelOutput]] = out.EntityClassificationOutput
    #: states that the classifier reads, beside each other, and whether it has a bias
    parts: ClassVar[int] = 1
    bias: ClassVar[bool] = True

    def build_head(self, config: LukeConfig) -> None:
        self.dropout = classifier_dropout(config)
        self.classifier = nn.Linear(config.hidden_size * self.parts, config.num_labels, bias=self.bias)

    def features(self, outputs: ModelOutput, **inputs: Any) -> Tensor:
        """What is classified, (batch, ..., parts x hidden)."""
        return outputs.entity_last_hidden_state[:, : self.parts].flatten(1)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        entity_ids: Tensor | None = None,
        entity_start_positions: Tensor | None = None,
        entity_end_positions: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """labels: classes, or as many numbers as logits: 1 for each label that holds."""
        if entity_ids is None:
            raise ValueError(f"{type(self).__name__} classifies entities: pass entity_ids")
        outputs = self.model(input_ids, entity_ids=entity_ids, **inputs)
        features = self.features(outputs, start=entity_start_positions, end=entity_end_positions)
        logits = self.classifier(self.dropout(features))
        loss = None
        if labels is not None:
            several = labels.dim() == logits.dim()
            loss = (
                F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
                if several
                else token_loss(logits, labels)
            )
        return self.output_class.carry(outputs, loss=loss, logits=logits)


class LukeForEntityPairClassification(LukeForEntityClassification):
    """LUKE with a classifier on the first two entities."""

    output_class = out.EntityPairClassificationOutput
    parts = 2
    bias = False


class LukeForEntitySpanClassification(LukeForEntityClassification):
    """LUKE with a classifier on every entity, its first word and its last.

    entity_start_positions, entity_end_positions: (batch, entities), indices of those words.
    """

    output_class = out.EntitySpanClassificationOutput
    parts = 3

    def features(self, outputs: ModelOutput, **inputs: Any) -> Tensor:
        missing = [f"entity_{name}_positions" for name, where in inputs.items() if where is None]
        if missing:
            raise ValueError(f"spans need {' and '.join(missing)}, the index of a word for each entity")
        hidden = outputs.last_hidden_state
        ends = [
            hidden.gather(1, inputs[name][..., None].expand(-1, -1, hidden.shape[-1]))
            for name in ("start", "end")
        ]
        return torch.cat([*ends, outputs.entity_last_hidden_state], dim=-1)


class LukeForSequenceClassification(ForSequenceClassification, LukePreTrainedModel):
    """LUKE with a classifier on the pooled output."""

    base_class = LukeModel
    output_class = out.LukeSequenceClassifierOutput


class LukeForMultipleChoice(ForMultipleChoice, LukePreTrainedModel):
    """LUKE with one score for each choice."""

    base_class = LukeModel
    output_class = out.LukeMultipleChoiceModelOutput


class LukeForTokenClassification(ForTokenClassification, LukePreTrainedModel):
    """LUKE with a classifier on each word."""

    base_class = LukeModel
    base_options = {"add_pooling_layer": False}
    output_class = out.LukeTokenClassifierOutput


class LukeForQuestionAnswering(ForQuestionAnswering, LukePreTrainedModel):
    """LUKE with scores of an answer's first and last word."""

    base_class = LukeModel
    base_options = {"add_pooling_layer": False}
    output_class = out.LukeQuestionAnsweringModelOutput
