"""Nemotron: layer norms stored as offsets from one, and an ungated MLP of squared ReLU."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_text.nemotron.config import NemotronConfig


class OffsetLayerNorm(nn.Module):
    """Layer norm whose stored weight is the difference from one."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.empty(size))
        self.bias = nn.Parameter(torch.empty(size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.weight.shape, self.weight + 1, self.bias, self.eps)


class NemotronPreTrainedModel(PreTrainedModel):
    """What all Nemotron classes share."""

    config_class = NemotronConfig
    base_model_prefix = "model"


class NemotronModel(NemotronPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {"layers.*.mlp.fc1": "layers.*.mlp.up_proj", "layers.*.mlp.fc2": "layers.*.mlp.down_proj"}

    def make_mlp(self, config: NemotronConfig, layer_idx: int) -> nn.Module:
        return MLP(config.hidden_size, config.intermediate_size, config.hidden_act, bias=config.mlp_bias)

    def norm_of(self, config: NemotronConfig) -> NormFactory:
        return partial(OffsetLayerNorm, eps=config.norm_eps)


class NemotronForCausalLM(ForCausalLM, NemotronPreTrainedModel):
    """Nemotron with a language modeling head."""

    base_class = NemotronModel


class NemotronForSequenceClassification(ForLastTokenClassification, NemotronPreTrainedModel):
    """Nemotron with a classifier on the last token."""

    base_class = NemotronModel


class NemotronForTokenClassification(ForTokenClassification, NemotronPreTrainedModel):
    """Nemotron with a classifier on each token."""

    base_class = NemotronModel
    head_names = {"classifier": "score"}


class NemotronForQuestionAnswering(ForQuestionAnswering, NemotronPreTrainedModel):
    """Nemotron with scores of an answer's first and last token."""

    base_class = NemotronModel
    base_name = "transformer"
