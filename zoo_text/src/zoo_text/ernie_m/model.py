"""ERNIE-M: a BERT without segments, whose positions begin at 2."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.base import Headed
from zoo_core.heads.pooled import ForMultipleChoice, ForSequenceClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    QuestionAnsweringModelOutput,
)
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_text.bert.model import BertLayer, BertModel
from zoo_text.ernie_m.config import ErnieMConfig

#: positions that stand before the first token's
_BEFORE = 2


class ErnieMPreTrainedModel(PreTrainedModel):
    """What all ERNIE-M classes share."""

    config_class = ErnieMConfig
    base_model_prefix = "ernie_m"
    ignored_names = ("*position_ids",)


class ErnieMEmbeddings(TextEmbeddings):
    """Words and positions."""

    def forward(
        self, input_ids: Tensor | None, *, position_ids: Tensor | None = None, **inputs: Any
    ) -> Tensor:
        given = None if position_ids is None else position_ids + _BEFORE
        return super().forward(input_ids, position_ids=given, **inputs)

    def default_positions(self, input_ids: Tensor | None, hidden: Tensor, past: int) -> Tensor:
        return super().default_positions(input_ids, hidden, past) + _BEFORE


class ErnieMLayer(BertLayer):
    """A layer of BERT under other names."""

    hub_names = {
        "self_attn": "self_attn.self_attn",
        "self_attn.o_proj": "self_attn.out_proj",
        "self_attn_layer_norm": "norm1",
        "mlp.fc1": "linear1",
        "mlp.fc2": "linear2",
        "final_layer_norm": "norm2",
    }


class ErnieMModel(ErnieMPreTrainedModel, BertModel):
    """The encoder without a head."""

    hub_names = {"layers": "encoder.layers"}
    layer_class = ErnieMLayer

    def embed_with(self, config: ErnieMConfig, width: int) -> TextEmbeddings:  # type: ignore[override]
        return ErnieMEmbeddings(
            config.vocab_size,
            width,
            max_positions=config.max_position_embeddings,
            type_vocab_size=0,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """As BERT's; without a mask, padding is told by its id."""
        if attention_mask is None and input_ids is not None:
            attention_mask = (input_ids != self.config.pad_token_id).long()
        return super().forward(input_ids, attention_mask, position_ids=position_ids, **inputs)


class ErnieMForSequenceClassification(ForSequenceClassification, ErnieMPreTrainedModel):
    """ERNIE-M with a classifier on the pooled output."""

    base_class = ErnieMModel


class ErnieMForMultipleChoice(ForMultipleChoice, ErnieMPreTrainedModel):
    """ERNIE-M with one score for each choice."""

    base_class = ErnieMModel


class ErnieMForTokenClassification(ForTokenClassification, ErnieMPreTrainedModel):
    """ERNIE-M with a classifier on each token."""

    base_class = ErnieMModel
    base_options = {"add_pooling_layer": False}


class ErnieMForQuestionAnswering(ForQuestionAnswering, ErnieMPreTrainedModel):
    """ERNIE-M with scores of an answer's first and last token."""

    base_class = ErnieMModel
    base_options = {"add_pooling_layer": False}


class ErnieMForInformationExtraction(Headed, ErnieMPreTrainedModel):
    """Whether a span begins, and ends, at each token: logits (batch, sequence) of independent choices."""

    base_class = ErnieMModel

    def build_head(self, config: ErnieMConfig) -> None:
        self.linear_start = nn.Linear(config.hidden_size, 1)
        self.linear_end = nn.Linear(config.hidden_size, 1)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **inputs: Any,
    ) -> QuestionAnsweringModelOutput:
        """`start_positions` and `end_positions` (batch, sequence) are the probabilities to reach."""
        outputs = self.model(input_ids, **inputs)
        hidden = outputs.last_hidden_state
        start, end = self.linear_start(hidden).squeeze(-1), self.linear_end(hidden).squeeze(-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            found = F.binary_cross_entropy_with_logits(start, start_positions.to(start.dtype))
            loss = (found + F.binary_cross_entropy_with_logits(end, end_positions.to(end.dtype))) / 2
        return QuestionAnsweringModelOutput.carry(outputs, loss=loss, start_logits=start, end_logits=end)
