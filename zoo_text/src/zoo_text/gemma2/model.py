"""Gemma 2: norms around every branch, capped scores, alternating windows, scaled embeddings."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import attention_of, layer_rule
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.activation import softcap
from zoo_core.nn.layer import SandwichLayer
from zoo_core.nn.mlp import GatedMLP
from zoo_text.gemma.model import GemmaDecoder
from zoo_text.gemma2.config import Gemma2Config


class Gemma2PreTrainedModel(PreTrainedModel):
    """What all Gemma 2 classes share."""

    config_class = Gemma2Config
    base_model_prefix = "model"


class Gemma2Model(Gemma2PreTrainedModel, GemmaDecoder):
    """The decoder without a head."""

    layer_class = SandwichLayer

    def make_attention(self, config: Gemma2Config, layer_idx: int) -> nn.Module:
        return attention_of(
            config,
            layer_idx,
            scale=config.query_pre_attn_scalar**-0.5,
            softcap=config.attn_logit_softcapping,
            rule=layer_rule(config, layer_idx),
        )

    def make_mlp(self, config: Gemma2Config, layer_idx: int) -> nn.Module:
        return GatedMLP(config.hidden_size, config.intermediate_size, config.hidden_activation)


class CappedLogits(ForCausalLM):
    """A language modeling head whose scores are capped by `final_logit_softcapping`."""

    def score(self, hidden: Tensor) -> Tensor:
        return softcap(super().score(hidden), self.config.final_logit_softcapping)


class Gemma2ForCausalLM(CappedLogits, Gemma2PreTrainedModel):
    """Gemma 2 with a language modeling head."""

    base_class = Gemma2Model


class Gemma2ForSequenceClassification(ForLastTokenClassification, Gemma2PreTrainedModel):
    """Gemma 2 with a classifier on the last token."""

    base_class = Gemma2Model


class Gemma2ForTokenClassification(ForTokenClassification, Gemma2PreTrainedModel):
    """Gemma 2 with a classifier on each token."""

    base_class = Gemma2Model
    head_names = {"classifier": "score"}
