"""Heads of decoders: the last token knows the whole sequence."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import sequence_loss
from zoo_core.modeling.outputs import ModelOutput, SequenceClassifierOutputWithPast


class ForLastTokenClassification(Headed):
    """A linear layer on each row's last token that is not padding; logits (batch, num_labels)."""

    output_class: ClassVar[type[ModelOutput]] = SequenceClassifierOutputWithPast

    def build_head(self, config: PretrainedConfig) -> None:
        self.score = nn.Linear(config.get_text_config().hidden_size, config.num_labels, bias=False)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        outputs = self.model(input_ids, **inputs)
        hidden = outputs.last_hidden_state
        last = self.last_tokens(input_ids, hidden)
        rows = torch.arange(hidden.shape[0], device=hidden.device)
        logits = self.score(hidden[rows, last])
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return self.output_class.carry(outputs, loss=loss, logits=logits)

    def last_tokens(self, input_ids: Tensor | None, hidden: Tensor) -> Tensor:
        """(batch,) index of each row's last token that is not padding.

        Raises:
            ValueError: several rows and no pad token to tell where they end.
        """
        batch, length = hidden.shape[:2]
        pad = self.config.get_text_config().pad_token_id
        if pad is None:
            if batch != 1:
                raise ValueError(
                    f"cannot tell where {batch} sequences end: config.pad_token_id is None; "
                    "set model.config.pad_token_id = tokenizer.pad_token_id, or pass one sequence"
                )
            return torch.full((1,), length - 1, device=hidden.device)
        if input_ids is None:
            warnings.warn("inputs_embeds say nothing of padding: the last position is taken", stacklevel=3)
            return torch.full((batch,), length - 1, device=hidden.device)
        index = torch.arange(length, device=hidden.device)
        return ((input_ids != pad).to(hidden.device) * index).argmax(-1)
