"""Heads on every token's state."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed, classifier_dropout
from zoo_core.modeling.loss import span_loss, token_loss
from zoo_core.modeling.outputs import ModelOutput, QuestionAnsweringModelOutput, TokenClassifierOutput


class ForTokenClassification(Headed):
    """Dropout and a linear layer on each token; logits (batch, sequence, num_labels)."""

    output_class: ClassVar[type[ModelOutput]] = TokenClassifierOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.dropout = classifier_dropout(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        outputs = self.model(input_ids, **inputs)
        logits = self.classifier(self.dropout(outputs.last_hidden_state))
        loss = None if labels is None else token_loss(logits, labels)
        return self.output_class.carry(outputs, loss=loss, logits=logits)


class ForQuestionAnswering(Headed):
    """Scores of the answer's first and last token, (batch, sequence) each."""

    output_class: ClassVar[type[ModelOutput]] = QuestionAnsweringModelOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.qa_outputs = nn.Linear(config.hidden_size, 2)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        outputs = self.model(input_ids, **inputs)
        start, end = self.qa_outputs(outputs.last_hidden_state).unbind(-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = span_loss(start, end, start_positions, end_positions)
        return self.output_class.carry(outputs, loss=loss, start_logits=start, end_logits=end)
