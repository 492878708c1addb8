"""Qwen3-MoE: Qwen3 with experts."""

from __future__ import annotations

from torch import nn

from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_text.qwen2_moe.model import SparseMoE, is_sparse
from zoo_text.qwen3.model import QKNormDecoder
from zoo_text.qwen3_moe.config import Qwen3MoeConfig


class Qwen3MoePreTrainedModel(PreTrainedModel):
    """What all Qwen3-MoE classes share."""

    config_class = Qwen3MoeConfig
    base_model_prefix = "model"


class Qwen3MoeModel(Qwen3MoePreTrainedModel, QKNormDecoder):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast

    def make_mlp(self, config: Qwen3MoeConfig, layer_idx: int) -> nn.Module:
        return SparseMoE(config) if is_sparse(config, layer_idx) else super().make_mlp(config, layer_idx)


class Qwen3MoeForCausalLM(ForMoeCausalLM, Qwen3MoePreTrainedModel):
    """Qwen3-MoE with a language modeling head."""

    base_class = Qwen3MoeModel


class Qwen3MoeForSequenceClassification(ForLastTokenClassification, Qwen3MoePreTrainedModel):
    """Qwen3-MoE with a classifier on the last token."""

    base_class = Qwen3MoeModel


class Qwen3MoeForTokenClassification(ForTokenClassification, Qwen3MoePreTrainedModel):
    """Qwen3-MoE with a classifier on each token."""

    base_class = Qwen3MoeModel
    head_names = {"classifier": "score"}


class Qwen3MoeForQuestionAnswering(ForQuestionAnswering, Qwen3MoePreTrainedModel):
    """Qwen3-MoE with scores of an answer's first and last token."""

    base_class = Qwen3MoeModel
    base_name = "transformer"
