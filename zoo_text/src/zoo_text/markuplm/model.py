"""MarkupLM: a RoBERTa that is told by which path of tags each word is reached."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Stacked
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndCrossAttentions
from zoo_core.nn.embeddings import UnpaddedTextEmbeddings, embed
from zoo_text.bert import model as bert
from zoo_text.markuplm.config import MarkupLMConfig

HIDDEN = -10000.0
"""Added to the scores of padding; a text of padding alone is so read as if there were none."""


class MarkupLMPreTrainedModel(bert.BertPreTrainedModel):
    """What all MarkupLM classes share."""

    config_class = MarkupLMConfig
    base_model_prefix = "markuplm"


class PathEmbeddings(nn.Module):
    """Embeddings of the tags and places along a path, joined over all steps, and a feed-forward block.

    Files also hold `unused`, a map that nothing reads.
    """

    hub_names = {
        "tags": Stacked("xpath_tag_sub_embeddings.*.weight"),
        "places": Stacked("xpath_subs_sub_embeddings.*.weight"),
        "fc1": "xpath_unitseq2_inner",
        "fc2": "inner2emb",
        "unused": "xpath_unitseq2_embeddings",
    }

    def __init__(self, config: MarkupLMConfig) -> None:
        super().__init__()
        depth, unit, size = config.max_depth, config.xpath_unit_hidden_size, config.hidden_size
        std = config.initializer_range
        self.tags = nn.Parameter(torch.randn(depth, config.max_xpath_tag_unit_embeddings, unit) * std)
        self.places = nn.Parameter(torch.randn(depth, config.max_xpath_subs_unit_embeddings, unit) * std)
        self.fc1, self.fc2 = nn.Linear(depth * unit, 4 * size), nn.Linear(4 * size, size)
        self.unused = nn.Linear(depth * unit, size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, tags: Tensor, places: Tensor) -> Tensor:
        """Two times (batch, sequence, steps) to (batch, sequence, hidden)."""
        depth = len(self.tags)
        if tags.shape[-1] != depth or places.shape != tags.shape:
            raise ValueError(
                f"xpath_tags_seq is {tuple(tags.shape)} and xpath_subs_seq {tuple(places.shape)}; both must "
                f"have max_depth ({depth}) steps in the last dimension"
            )
        steps = torch.arange(depth, device=tags.device)
        paths = (self.tags[steps, tags] + self.places[steps, places]).flatten(-2)
        return self.fc2(self.dropout(F.relu(self.fc1(paths))))


class MarkupLMModel(MarkupLMPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    embeddings_class = UnpaddedTextEmbeddings

    def make_embeddings(self, config: MarkupLMConfig) -> None:
        super().make_embeddings(config)
        self.embeddings.xpath_embeddings = PathEmbeddings(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        xpath_tags_seq: Tensor | None = None,
        xpath_subs_seq: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *args: Any,
        inputs_embeds: Tensor | None = None,
        position_ids: Tensor | None = None,
        **inputs: Any,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """As BERT's; `xpath_tags_seq` and `xpath_subs_seq` (batch, sequence, max_depth) are each word's path,
        by default none."""
        table = self.embeddings
        words = embed(table.word_embeddings, input_ids, inputs_embeds)
        if position_ids is None:
            position_ids = table.default_positions(input_ids, words, 0)
        none = torch.zeros(*words.shape[:2], self.config.max_depth, dtype=torch.int64, device=words.device)
        tags = none + self.config.tag_pad_id if xpath_tags_seq is None else xpath_tags_seq
        places = none + self.config.subs_pad_id if xpath_subs_seq is None else xpath_subs_seq
        words = words + table.xpath_embeddings(tags, places)
        if attention_mask is not None and attention_mask.dim() == 2:
            attention_mask = (1 - attention_mask[:, None, None].to(words.dtype)) * HIDDEN
        return super().forward(
            None, attention_mask, *args, inputs_embeds=words, position_ids=position_ids, **inputs
        )


class MarkupLMForSequenceClassification(MarkupLMPreTrainedModel, bert.BertForSequenceClassification):
    """MarkupLM with a classifier on the pooled output."""

    base_class = MarkupLMModel


class MarkupLMForTokenClassification(MarkupLMPreTrainedModel, bert.BertForTokenClassification):
    """MarkupLM with a classifier on each token."""

    base_class = MarkupLMModel


class MarkupLMForQuestionAnswering(MarkupLMPreTrainedModel, bert.BertForQuestionAnswering):
    """MarkupLM with scores of an answer's first and last token."""

    base_class = MarkupLMModel
