"""Gemma: Llama with norm weights stored as offsets from one and scaled embeddings."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_text.gemma.config import GemmaConfig


def gemma_norm(config: PretrainedConfig) -> NormFactory:
    """Makes norms whose weight is an offset from one and multiplies in float32."""
    return partial(RMSNorm, eps=config.rms_norm_eps, unit_offset=True, scale_in_float32=True)


class GemmaDecoder(DecoderModel):
    """A decoder with Gemma's norms and with embeddings scaled by the root of the width."""

    def norm_of(self, config: PretrainedConfig) -> NormFactory:
        return gemma_norm(config)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        hidden = super().embed(input_ids, inputs_embeds, position_ids, past)
        return hidden * hidden.new_tensor(self.config.hidden_size**0.5)  # rounded to the dtype


class GemmaPreTrainedModel(PreTrainedModel):
    """What all Gemma classes share."""

    config_class = GemmaConfig
    base_model_prefix = "model"


class GemmaModel(GemmaPreTrainedModel, GemmaDecoder):
    """The decoder without a head."""


class GemmaForCausalLM(ForCausalLM, GemmaPreTrainedModel):
    """Gemma with a language modeling head."""

    base_class = GemmaModel


class GemmaForSequenceClassification(ForLastTokenClassification, GemmaPreTrainedModel):
    """Gemma with a classifier on the last token."""

    base_class = GemmaModel


class GemmaForTokenClassification(ForTokenClassification, GemmaPreTrainedModel):
    """Gemma with a classifier on each token."""

    base_class = GemmaModel
    head_names = {"classifier": "score"}
