"""A two-layer classifier on the first token of a text encoder (RoBERTa and its kin)."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed, classifier_dropout
from zoo_core.modeling.loss import sequence_loss
from zoo_core.modeling.outputs import ModelOutput, SequenceClassifierOutput
from zoo_core.nn.activation import activation


class DenseClassifier(nn.Module):
    """Dropout, dense layer, activation, dropout, and the labels' layer, on every state."""

    def __init__(self, config: PretrainedConfig, act: str) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.act = activation(act)
        self.dropout = classifier_dropout(config)
        self.out_proj = nn.Linear(config.hidden_size, config.num_labels)

    def forward(self, hidden: Tensor) -> Tensor:
        """(..., hidden) to (..., num_labels)."""
        return self.out_proj(self.dropout(self.act(self.dense(self.dropout(hidden)))))


class FirstTokenClassifier(DenseClassifier):
    """The same on the first token's state alone."""

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, sequence, hidden) to (batch, num_labels)."""
        return super().forward(hidden[:, 0])


class ForFirstTokenClassification(Headed):
    """Sequence classification by `FirstTokenClassifier`; logits (batch, num_labels)."""

    base_options = {"add_pooling_layer": False}
    classifier_act: ClassVar[str] = "tanh"
    output_class: ClassVar[type[ModelOutput]] = SequenceClassifierOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.classifier = FirstTokenClassifier(config, self.classifier_act)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        outputs = self.model(input_ids, **inputs)
        logits = self.classifier(outputs.last_hidden_state)
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return self.output_class.carry(outputs, loss=loss, logits=logits)
