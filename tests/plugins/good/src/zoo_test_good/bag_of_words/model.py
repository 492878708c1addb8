"""The bag of words, and a head that scores documents."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.modeling import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, SequenceClassifierOutput
from zoo_test_good.bag_of_words.config import BagOfWordsConfig


class BagOfWordsPreTrainedModel(PreTrainedModel):
    """What both classes share."""

    config_class = BagOfWordsConfig
    base_model_prefix = "words"


class BagOfWordsModel(BagOfWordsPreTrainedModel):
    """Word vectors (batch, length, hidden) and their mean over the words that count (batch, hidden)."""

    def __init__(self, config: BagOfWordsConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.post_init()

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> BaseModelOutputWithPooling:
        hidden = self.embed_tokens(input_ids)
        if attention_mask is None:
            attention_mask = torch.ones_like(input_ids)
        weights = attention_mask[..., None].to(hidden.dtype)
        pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


class BagOfWordsForRanking(BagOfWordsPreTrainedModel):
    """One score for each document."""

    def __init__(self, config: BagOfWordsConfig) -> None:
        super().__init__(config)
        self.words = BagOfWordsModel(config)
        self.score = nn.Linear(config.hidden_size, 1)
        self.post_init()

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> SequenceClassifierOutput:
        pooled = self.words(input_ids, attention_mask).pooler_output
        return SequenceClassifierOutput(logits=self.score(pooled))
