"""Seed-OSS: Llama with biases on queries, keys and values, and dropout."""

from __future__ import annotations

from typing import Any

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.seed_oss.config import SeedOssConfig


class SeedOssPreTrainedModel(PreTrainedModel):
    """What all Seed-OSS classes share."""

    config_class = SeedOssConfig
    base_model_prefix = "model"


class SeedOssModel(SeedOssPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_attention(self, config: SeedOssConfig, layer_idx: int) -> nn.Module:
        return attention_of(config, layer_idx, out_bias=config.attention_out_bias)

    def layer_options(self, config: SeedOssConfig) -> dict[str, Any]:
        return {"dropout": config.residual_dropout}


class SeedOssForCausalLM(ForCausalLM, SeedOssPreTrainedModel):
    """Seed-OSS with a language modeling head."""

    base_class = SeedOssModel


class SeedOssForSequenceClassification(ForLastTokenClassification, SeedOssPreTrainedModel):
    """Seed-OSS with a classifier on the last token."""

    base_class = SeedOssModel


class SeedOssForTokenClassification(ForTokenClassification, SeedOssPreTrainedModel):
    """Seed-OSS with a classifier on each token."""

    base_class = SeedOssModel
    head_names = {"classifier": "score"}


class SeedOssForQuestionAnswering(ForQuestionAnswering, SeedOssPreTrainedModel):
    """Seed-OSS with scores of an answer's first and last token."""

    base_class = SeedOssModel
    base_name = "transformer"
