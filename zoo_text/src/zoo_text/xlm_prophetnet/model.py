"""XLM-ProphetNet: ProphetNet with another vocabulary."""

from __future__ import annotations

from zoo_text.prophetnet import model as prophetnet
from zoo_text.xlm_prophetnet.config import XLMProphetNetConfig


class XLMProphetNetPreTrainedModel(prophetnet.ProphetNetPreTrainedModel):
    """What all XLM-ProphetNet classes share."""

    config_class = XLMProphetNetConfig


class XLMProphetNetEncoder(XLMProphetNetPreTrainedModel, prophetnet.ProphetNetEncoder):
    """The encoder."""


class XLMProphetNetDecoder(XLMProphetNetPreTrainedModel, prophetnet.ProphetNetDecoder):
    """The decoder."""


class XLMProphetNetModel(XLMProphetNetPreTrainedModel, prophetnet.ProphetNetModel):
    """Encoder and decoder with one table of token embeddings."""

    stacks = (XLMProphetNetEncoder, XLMProphetNetDecoder)


class XLMProphetNetForConditionalGeneration(
    XLMProphetNetPreTrainedModel, prophetnet.ProphetNetForConditionalGeneration
):
    """XLM-ProphetNet with a language modeling head."""

    base_class = XLMProphetNetModel


class XLMProphetNetForCausalLM(XLMProphetNetPreTrainedModel, prophetnet.ProphetNetForCausalLM):
    """XLM-ProphetNet's decoder alone, with a language modeling head."""

    base_class = XLMProphetNetDecoder
