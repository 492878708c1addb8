"""Qwen3: Llama with norms of queries and keys."""

from __future__ import annotations

from torch import nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, layer_rule
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.qwen3.config import Qwen3Config


class QKNormDecoder(DecoderModel):
    """A decoder whose layers normalise the queries and keys of each head."""

    def make_attention(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        norm, rule = self.norm_of(config), layer_rule(config, layer_idx)
        return attention_of(config, layer_idx, qk_norm=norm, rule=rule)


class Qwen3PreTrainedModel(PreTrainedModel):
    """What all Qwen3 classes share."""

    config_class = Qwen3Config
    base_model_prefix = "model"


class Qwen3Model(Qwen3PreTrainedModel, QKNormDecoder):
    """The decoder without a head."""


class Qwen3ForCausalLM(ForCausalLM, Qwen3PreTrainedModel):
    """Qwen3 with a language modeling head."""

    base_class = Qwen3Model


class Qwen3ForSequenceClassification(ForLastTokenClassification, Qwen3PreTrainedModel):
    """Qwen3 with a classifier on the last token."""

    base_class = Qwen3Model


class Qwen3ForTokenClassification(ForTokenClassification, Qwen3PreTrainedModel):
    """Qwen3 with a classifier on each token."""

    base_class = Qwen3Model
    head_names = {"classifier": "score"}


class Qwen3ForQuestionAnswering(ForQuestionAnswering, Qwen3PreTrainedModel):
    """Qwen3 with scores of an answer's first and last token."""

    base_class = Qwen3Model
    base_name = "transformer"
