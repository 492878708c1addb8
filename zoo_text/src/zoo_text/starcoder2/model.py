"""StarCoder2: Mistral with layer norms, biases and an ungated MLP."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, layer_rule
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_text.starcoder2.config import Starcoder2Config


class Starcoder2PreTrainedModel(PreTrainedModel):
    """What all StarCoder2 classes share."""

    config_class = Starcoder2Config
    base_model_prefix = "model"


class Starcoder2Model(Starcoder2PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {"layers.*.mlp.fc1": "layers.*.mlp.c_fc", "layers.*.mlp.fc2": "layers.*.mlp.c_proj"}

    def make_attention(self, config: Starcoder2Config, layer_idx: int) -> nn.Module:
        return attention_of(config, layer_idx, bias=config.use_bias, rule=layer_rule(config, layer_idx))

    def make_mlp(self, config: Starcoder2Config, layer_idx: int) -> nn.Module:
        return MLP(config.hidden_size, config.intermediate_size, config.hidden_act, bias=config.use_bias)

    def norm_of(self, config: Starcoder2Config) -> NormFactory:
        return partial(nn.LayerNorm, eps=config.norm_epsilon)

    def layer_options(self, config: Starcoder2Config) -> dict[str, Any]:
        return {"dropout": config.residual_dropout}

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        hidden = super().embed(input_ids, inputs_embeds, position_ids, past)
        return F.dropout(hidden, self.config.embedding_dropout, self.training)


class Starcoder2ForCausalLM(ForCausalLM, Starcoder2PreTrainedModel):
    """StarCoder2 with a language modeling head."""

    base_class = Starcoder2Model


class Starcoder2ForSequenceClassification(ForLastTokenClassification, Starcoder2PreTrainedModel):
    """StarCoder2 with a classifier on the last token."""

    base_class = Starcoder2Model


class Starcoder2ForTokenClassification(ForTokenClassification, Starcoder2PreTrainedModel):
    """StarCoder2 with a classifier on each token."""

    base_class = Starcoder2Model
    head_names = {"classifier": "score"}
