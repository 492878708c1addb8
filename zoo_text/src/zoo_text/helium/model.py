"""Helium: Llama with neighbouring features rotated."""

from __future__ import annotations

from functools import partial

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.helium.config import HeliumConfig


class HeliumPreTrainedModel(PreTrainedModel):
    """What all Helium classes share."""

    config_class = HeliumConfig
    base_model_prefix = "model"


class HeliumModel(HeliumPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_attention(self, config: HeliumConfig, layer_idx: int) -> nn.Module:
        return attention_of(config, layer_idx, out_bias=False)

    def norm_of(self, config: HeliumConfig) -> NormFactory:
        return partial(RMSNorm, eps=config.rms_norm_eps, scale_in_float32=True)

    def make_rotary(self, config: HeliumConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, interleaved=True)}


class HeliumForCausalLM(ForCausalLM, HeliumPreTrainedModel):
    """Helium with a language modeling head."""

    base_class = HeliumModel


class HeliumForSequenceClassification(ForLastTokenClassification, HeliumPreTrainedModel):
    """Helium with a classifier on the last token."""

    base_class = HeliumModel


class HeliumForTokenClassification(ForTokenClassification, HeliumPreTrainedModel):
    """Helium with a classifier on each token."""

    base_class = HeliumModel
    head_names = {"classifier": "score"}
