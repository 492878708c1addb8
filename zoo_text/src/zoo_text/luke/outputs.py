"""What LUKE's classes return: entities' states beside those of words.

`hidden_states` are the words', `entity_hidden_states` the entities'; `attentions` are of both together,
words first.
"""

from __future__ import annotations

from torch import Tensor

from zoo_core.modeling.outputs import ModelOutput


class BaseLukeModelOutputWithPooling(ModelOutput):
    """States of words (batch, sequence, hidden) and of entities (batch, entities, hidden)."""

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    entity_last_hidden_state: Tensor | None = None
    entity_hidden_states: tuple[Tensor, ...] | None = None


class LukeMaskedLMOutput(ModelOutput):
    """Scores of words (batch, sequence, vocabulary) and of entities (batch, entities, entity vocabulary)."""

    loss: Tensor | None = None
    mlm_loss: Tensor | None = None
    mep_loss: Tensor | None = None
    logits: Tensor
    entity_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    entity_hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class EntityClassificationOutput(ModelOutput):
    """Scores of one entity's labels (batch, labels)."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    entity_hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class EntityPairClassificationOutput(EntityClassificationOutput):
    """Scores of how the first entity relates to the second (batch, labels)."""


class EntitySpanClassificationOutput(EntityClassificationOutput):
    """Scores of every entity's labels (batch, entities, labels)."""


class LukeSequenceClassifierOutput(EntityClassificationOutput):
    """Scores of a text's labels (batch, labels)."""


class LukeTokenClassifierOutput(EntityClassificationOutput):
    """Scores of every word's labels (batch, sequence, labels)."""


class LukeMultipleChoiceModelOutput(EntityClassificationOutput):
    """Scores of choices (batch, choices)."""


class LukeQuestionAnsweringModelOutput(ModelOutput):
    """Scores of an answer's first and last token (batch, sequence)."""

    loss: Tensor | None = None
    start_logits: Tensor
    end_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    entity_hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
