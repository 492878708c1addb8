"""Llama: pre-norm layers with RMSNorm, rotary positions, grouped queries and a gated MLP."""

from __future__ import annotations

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.llama.config import LlamaConfig


class LlamaPreTrainedModel(PreTrainedModel):
    """What all Llama classes share."""

    config_class = LlamaConfig
    base_model_prefix = "model"
    ignored_names = ("*rotary_emb.inv_freq",)


class LlamaModel(LlamaPreTrainedModel, DecoderModel):
    """The decoder without a head."""


class LlamaForCausalLM(ForCausalLM, LlamaPreTrainedModel):
    """Llama with a language modeling head."""

    base_class = LlamaModel


class LlamaForSequenceClassification(ForLastTokenClassification, LlamaPreTrainedModel):
    """Llama with a classifier on the last token."""

    base_class = LlamaModel


class LlamaForTokenClassification(ForTokenClassification, LlamaPreTrainedModel):
    """Llama with a classifier on each token."""

    base_class = LlamaModel
    head_names = {"classifier": "score"}


class LlamaForQuestionAnswering(ForQuestionAnswering, LlamaPreTrainedModel):
    """Llama with scores of an answer's first and last token."""

    base_class = LlamaModel
    base_name = "transformer"
