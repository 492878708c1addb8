"""RetriBERT: questions and documents as vectors that are close where they belong together."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_text.bert.model import BertModel
from zoo_text.retribert.config import RetriBertConfig


class RetriBertPreTrainedModel(PreTrainedModel):
    """What all RetriBERT classes share."""

    config_class = RetriBertConfig
    base_model_prefix = "retribert"
    ignored_names = ("*position_ids",)


class RetriBertModel(RetriBertPreTrainedModel):
    """The two encoders (or one) and a projection of each one's pooled output."""

    def __init__(self, config: RetriBertConfig) -> None:
        super().__init__(config)
        self.bert_query = BertModel(config)
        self.bert_doc = None if config.share_encoders else BertModel(config)
        self.project_query = nn.Linear(config.hidden_size, config.projection_dim, bias=False)
        self.project_doc = nn.Linear(config.hidden_size, config.projection_dim, bias=False)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.bert_query.get_input_embeddings()

    def embed_questions(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Questions (batch, sequence) to vectors (batch, projection_dim)."""
        return self.project_query(self.bert_query(input_ids, attention_mask=attention_mask).pooler_output)

    def embed_answers(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Documents (batch, sequence) to vectors (batch, projection_dim)."""
        encoder = self.bert_query if self.bert_doc is None else self.bert_doc
        return self.project_doc(encoder(input_ids, attention_mask=attention_mask).pooler_output)

    def forward(
        self,
        input_ids_query: Tensor,
        attention_mask_query: Tensor | None,
        input_ids_doc: Tensor,
        attention_mask_doc: Tensor | None,
        checkpoint_batch_size: int = -1,
    ) -> Tensor:
        """The loss: each question must be closest to the document of its own row, and the other way round.

        `checkpoint_batch_size` is accepted for callers of the reference; gradient checkpointing is the
        base's.
        """
        questions = self.embed_questions(input_ids_query, attention_mask_query)
        documents = self.embed_answers(input_ids_doc, attention_mask_doc)
        scores = questions @ documents.T
        own = torch.arange(len(scores), device=scores.device)
        return (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2
