"""Heads on the pooled output of a text encoder."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed, classifier_dropout
from zoo_core.modeling.loss import sequence_loss, token_loss
from zoo_core.modeling.outputs import (
    ModelOutput,
    MultipleChoiceModelOutput,
    NextSentencePredictorOutput,
    SequenceClassifierOutput,
)


class Pooled(Headed):
    """A head on one vector for the whole sequence: the base model's pooled output unless overridden."""

    def pooled(self, outputs: ModelOutput) -> Tensor:
        """(batch, hidden) from the base model's output."""
        return outputs.pooler_output


class ForSequenceClassification(Pooled):
    """Dropout and a linear layer on the pooled output; logits (batch, num_labels)."""

    output_class: ClassVar[type[ModelOutput]] = SequenceClassifierOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.dropout = classifier_dropout(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        outputs = self.model(input_ids, **inputs)
        logits = self.classifier(self.dropout(self.pooled(outputs)))
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return self.output_class.carry(outputs, loss=loss, logits=logits)


class ForMultipleChoice(Pooled):
    """One score for each choice; inputs (batch, choices, sequence), logits (batch, choices)."""

    output_class: ClassVar[type[ModelOutput]] = MultipleChoiceModelOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.dropout = classifier_dropout(config)
        self.classifier = nn.Linear(config.hidden_size, 1)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        given = input_ids if input_ids is not None else inputs_embeds
        if given is None:
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        choices = given.shape[1]
        flat: dict[str, Any] = {
            name: x.flatten(0, 1) if isinstance(x, Tensor) and name != "head_mask" else x
            for name, x in inputs.items()
        }
        if inputs_embeds is not None:
            flat["inputs_embeds"] = inputs_embeds.flatten(0, 1)
        outputs = self.model(None if input_ids is None else input_ids.flatten(0, 1), **flat)
        logits = self.classifier(self.dropout(self.pooled(outputs))).view(-1, choices)
        loss = None if labels is None else token_loss(logits, labels)
        return self.output_class.carry(outputs, loss=loss, logits=logits)


class ForNextSentencePrediction(Pooled):
    """Whether the second segment follows the first; logits (batch, 2), 0 for "it does"."""

    def build_head(self, config: PretrainedConfig) -> None:
        self.seq_relationship = nn.Linear(config.hidden_size, 2)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> NextSentencePredictorOutput:
        outputs = self.model(input_ids, **inputs)
        logits = self.seq_relationship(self.pooled(outputs))
        loss = None if labels is None else token_loss(logits, labels)
        return NextSentencePredictorOutput.carry(outputs, loss=loss, logits=logits)
