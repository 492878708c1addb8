"""Qwen2: Llama with biases on queries, keys and values."""

from __future__ import annotations

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, layer_rule
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.qwen2.config import Qwen2Config


class Qwen2PreTrainedModel(PreTrainedModel):
    """What all Qwen2 classes share."""

    config_class = Qwen2Config
    base_model_prefix = "model"


class Qwen2Model(Qwen2PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_attention(self, config: Qwen2Config, layer_idx: int) -> nn.Module:
        rule = layer_rule(config, layer_idx)
        return attention_of(config, layer_idx, bias=True, out_bias=False, rule=rule)


class Qwen2ForCausalLM(ForCausalLM, Qwen2PreTrainedModel):
    """Qwen2 with a language modeling head."""

    base_class = Qwen2Model


class Qwen2ForSequenceClassification(ForLastTokenClassification, Qwen2PreTrainedModel):
    """Qwen2 with a classifier on the last token."""

    base_class = Qwen2Model


class Qwen2ForTokenClassification(ForTokenClassification, Qwen2PreTrainedModel):
    """Qwen2 with a classifier on each token."""

    base_class = Qwen2Model
    head_names = {"classifier": "score"}


class Qwen2ForQuestionAnswering(ForQuestionAnswering, Qwen2PreTrainedModel):
    """Qwen2 with scores of an answer's first and last token."""

    base_class = Qwen2Model
    base_name = "transformer"
