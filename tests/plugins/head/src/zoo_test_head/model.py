"""A sentence embedding on top of zoo-text's BERT."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_text.bert.model import BertModel, BertPreTrainedModel


class BertForSentenceEmbedding(BertPreTrainedModel):
    """Mean of the last hidden states over the words that count, of length one: (batch, hidden)."""

    def __init__(self, config) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.post_init()

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> BaseModelOutputWithPooling:
        hidden = self.bert(input_ids, attention_mask=attention_mask).last_hidden_state
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        weights = attention_mask[..., None].to(hidden.dtype)
        mean = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden, pooler_output=torch.nn.functional.normalize(mean, dim=-1)
        )
