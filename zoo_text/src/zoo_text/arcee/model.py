"""Arcee AFM: Llama with an ungated MLP of squared ReLU."""

from __future__ import annotations

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import MLP
from zoo_text.arcee.config import ArceeConfig


class ArceePreTrainedModel(PreTrainedModel):
    """What all Arcee classes share."""

    config_class = ArceeConfig
    base_model_prefix = "model"


class ArceeModel(ArceePreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {"layers.*.mlp.fc1": "layers.*.mlp.up_proj", "layers.*.mlp.fc2": "layers.*.mlp.down_proj"}

    def make_mlp(self, config: ArceeConfig, layer_idx: int) -> nn.Module:
        return MLP(config.hidden_size, config.intermediate_size, config.hidden_act, bias=config.mlp_bias)


class ArceeForCausalLM(ForCausalLM, ArceePreTrainedModel):
    """Arcee's AFM with a language modeling head."""

    base_class = ArceeModel


class ArceeForSequenceClassification(ForLastTokenClassification, ArceePreTrainedModel):
    """Arcee's AFM with a classifier on the last token."""

    base_class = ArceeModel


class ArceeForQuestionAnswering(ForQuestionAnswering, ArceePreTrainedModel):
    """Arcee's AFM with scores of an answer's first and last token."""

    base_class = ArceeModel
    base_name = "transformer"


class ArceeForTokenClassification(ForTokenClassification, ArceePreTrainedModel):
    """Arcee's AFM with a classifier on each token."""

    base_class = ArceeModel
    head_names = {"classifier": "score"}
