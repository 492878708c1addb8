"""Longformer: RoBERTa whose tokens attend to a window, and to a few tokens that attend to all."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_core.modeling.outputs import (
    BaseModelOutputWithPooling,
    MaskedLMOutput,
    ModelOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_text.bert.model import BertLayer
from zoo_text.longformer.attention import LongformerAttention, Reach
from zoo_text.longformer.config import LongformerConfig
from zoo_text.roberta import model as roberta


class LongformerBaseModelOutputWithPooling(BaseModelOutputWithPooling):
    """States and pooled output.

    attentions: (batch, heads, sequence, G + window + 1) a layer: weights of the G global tokens, then of the
    neighbours; zero in the rows of global tokens, whose weights are global_attentions (batch, heads, padded
    sequence, G).
    """

    global_attentions: tuple[Tensor, ...] | None = None


class LongformerMaskedLMOutput(MaskedLMOutput):
    """Scores of each position's token."""

    global_attentions: tuple[Tensor, ...] | None = None


class LongformerSequenceClassifierOutput(SequenceClassifierOutput):
    """Scores of the whole sequence."""

    global_attentions: tuple[Tensor, ...] | None = None


class LongformerMultipleChoiceModelOutput(MultipleChoiceModelOutput):
    """Scores of the choices."""

    global_attentions: tuple[Tensor, ...] | None = None


class LongformerTokenClassifierOutput(TokenClassifierOutput):
    """Scores of each token."""

    global_attentions: tuple[Tensor, ...] | None = None


class LongformerQuestionAnsweringModelOutput(QuestionAnsweringModelOutput):
    """Scores of the answer's first and last token."""

    global_attentions: tuple[Tensor, ...] | None = None


class LongformerPreTrainedModel(roberta.RobertaPreTrainedModel):
    """What all Longformer classes share."""

    config_class = LongformerConfig
    base_model_prefix = "longformer"


class LongformerLayer(BertLayer):
    """BERT's layer with windowed attention."""

    hub_names = BertLayer.hub_names | {
        f"self_attn.{letter}_global": f"attention.self.{name}_global"
        for letter, name in (("q", "query"), ("k", "key"), ("v", "value"))
    }

    def __init__(self, config: LongformerConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        self.self_attn = LongformerAttention(
            config.hidden_size,
            config.num_attention_heads,
            window=config.windows[layer_idx] // 2,
            multiple=max(config.windows),
            dropout=config.attention_probs_dropout_prob,
        )


class LongformerModel(LongformerPreTrainedModel, roberta.RobertaModel):
    """The encoder without a head."""

    layer_class = LongformerLayer

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        global_attention_mask: Tensor | None = None,
        *,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> ModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, hidden).

        Args:
            global_attention_mask: (batch, sequence), 1 for tokens that see all and that all see.
        """
        hidden = self.embed(
            input_ids, inputs_embeds=inputs_embeds, token_type_ids=token_type_ids, position_ids=position_ids
        )
        reach = Reach.of(hidden, attention_mask, global_attention_mask)
        context = AttentionContext(hidden)
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask, reach=reach)
        pooled = None if self.pooler is None else self.pooler(hidden)
        return LongformerBaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


class LongformerForMaskedLM(LongformerPreTrainedModel, roberta.RobertaForMaskedLM):
    """Longformer with a masked language modeling head."""

    base_class = LongformerModel
    output_class = LongformerMaskedLMOutput


class DefaultGlobal(LongformerPreTrainedModel):
    """A head whose task says which tokens see all, where no global_attention_mask does."""

    base_class = LongformerModel

    def seeing_all(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor | None:
        """(..., sequence) bool, True for the tokens that see all; None leaves it at windows."""
        raise NotImplementedError

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        global_attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        if global_attention_mask is None:
            global_attention_mask = self.seeing_all(input_ids, inputs_embeds)
        return super().forward(  # type: ignore[no-any-return,misc]
            input_ids, global_attention_mask=global_attention_mask, inputs_embeds=inputs_embeds, **inputs
        )


class LongformerForSequenceClassification(DefaultGlobal, roberta.RobertaForSequenceClassification):
    """Longformer with a classifier on the first token, which sees all."""

    output_class = LongformerSequenceClassifierOutput

    def seeing_all(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor | None:
        given = input_ids if inputs_embeds is None else inputs_embeds[..., 0]
        return None if given is None else positions_of(given) == 0


class LongformerForTokenClassification(LongformerPreTrainedModel, roberta.RobertaForTokenClassification):
    """Longformer with a classifier on each token."""

    base_class = LongformerModel
    output_class = LongformerTokenClassifierOutput


class LongformerForMultipleChoice(DefaultGlobal, roberta.RobertaForMultipleChoice):
    """Longformer with one score for each choice, whose tokens see all."""

    output_class = LongformerMultipleChoiceModelOutput

    def seeing_all(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor | None:
        if input_ids is None:
            return None
        return positions_of(input_ids) > first_separator(input_ids, self.config.sep_token_id) + 1


class LongformerForQuestionAnswering(DefaultGlobal, roberta.RobertaForQuestionAnswering):
    """Longformer with scores of an answer's first and last token; the question's tokens see all."""

    output_class = LongformerQuestionAnsweringModelOutput

    def seeing_all(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor | None:
        if input_ids is None:
            return None
        return positions_of(input_ids) < first_separator(input_ids, self.config.sep_token_id)


def positions_of(tokens: Tensor) -> Tensor:
    """(..., sequence) the position of each."""
    return torch.arange(tokens.shape[-1], device=tokens.device).expand(tokens.shape)


def first_separator(input_ids: Tensor, sep_token_id: int | None) -> Tensor:
    """(..., 1) the position of the first of the three separators that a pair of texts (..., sequence) has.

    Raises:
        ValueError: a row has another number of them.
    """
    found = input_ids == sep_token_id
    counts = found.sum(-1)
    if bool((counts != 3).any()):
        raise ValueError(
            f"each row must have three separators (id {sep_token_id}), as the tokenizer makes of a pair of "
            f"texts, to tell which tokens see all; here they have {counts.tolist()}. Or pass "
            "global_attention_mask"
        )
    return found.to(torch.uint8).argmax(-1, keepdim=True)
