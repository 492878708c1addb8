"""Emu3's decoder: a Llama over tokens of text and of images."""

from __future__ import annotations

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.emu3.config import Emu3TextConfig


class Emu3PreTrainedModel(PreTrainedModel):
    """What all Emu3 classes share."""

    config_class = Emu3TextConfig
    base_model_prefix = "model"
    ignored_names = ("*rotary_emb.inv_freq",)


class Emu3TextModel(Emu3PreTrainedModel, DecoderModel):
    """The decoder without a head."""


class Emu3ForCausalLM(ForCausalLM, Emu3PreTrainedModel):
    """The decoder with a language modeling head."""

    base_class = Emu3TextModel
