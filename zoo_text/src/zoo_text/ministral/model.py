"""Ministral: Mistral that mixes windows and full attention."""

from __future__ import annotations

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.ministral.config import MinistralConfig


class MinistralPreTrainedModel(PreTrainedModel):
    """What all Ministral classes share."""

    config_class = MinistralConfig
    base_model_prefix = "model"


class MinistralModel(MinistralPreTrainedModel, DecoderModel):
    """The decoder without a head."""


class MinistralForCausalLM(ForCausalLM, MinistralPreTrainedModel):
    """Ministral with a language modeling head."""

    base_class = MinistralModel


class MinistralForSequenceClassification(ForLastTokenClassification, MinistralPreTrainedModel):
    """Ministral with a classifier on the last token."""

    base_class = MinistralModel


class MinistralForTokenClassification(ForTokenClassification, MinistralPreTrainedModel):
    """Ministral with a classifier on each token."""

    base_class = MinistralModel
    head_names = {"classifier": "score"}


class MinistralForQuestionAnswering(ForQuestionAnswering, MinistralPreTrainedModel):
    """Ministral with scores of an answer's first and last token."""

    base_class = MinistralModel
    base_name = "transformer"
