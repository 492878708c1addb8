"""Mistral: Llama whose layers see a window."""

from __future__ import annotations

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.mistral.config import MistralConfig


class MistralPreTrainedModel(PreTrainedModel):
    """What all Mistral classes share."""

    config_class = MistralConfig
    base_model_prefix = "model"


class MistralModel(MistralPreTrainedModel, DecoderModel):
    """The decoder without a head."""


class MistralForCausalLM(ForCausalLM, MistralPreTrainedModel):
    """Mistral with a language modeling head."""

    base_class = MistralModel


class MistralForSequenceClassification(ForLastTokenClassification, MistralPreTrainedModel):
    """Mistral with a classifier on the last token."""

    base_class = MistralModel


class MistralForTokenClassification(ForTokenClassification, MistralPreTrainedModel):
    """Mistral with a classifier on each token."""

    base_class = MistralModel
    head_names = {"classifier": "score"}


class MistralForQuestionAnswering(ForQuestionAnswering, MistralPreTrainedModel):
    """Mistral with scores of an answer's first and last token."""

    base_class = MistralModel
