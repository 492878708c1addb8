"""VaultGemma: Gemma 2 without the norms after the branches."""

from __future__ import annotations

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import PreNormLayer
from zoo_text.gemma2.model import CappedLogits, Gemma2Model
from zoo_text.vaultgemma.config import VaultGemmaConfig


class VaultGemmaPreTrainedModel(PreTrainedModel):
    """What all VaultGemma classes share."""

    config_class = VaultGemmaConfig
    base_model_prefix = "model"


class VaultGemmaModel(VaultGemmaPreTrainedModel, Gemma2Model):
    """The decoder without a head."""

    layer_class = PreNormLayer
    hub_names = {"layers.*.post_attention_layernorm": "layers.*.pre_feedforward_layernorm"}


class VaultGemmaForCausalLM(CappedLogits, VaultGemmaPreTrainedModel):
    """VaultGemma with a language modeling head."""

    base_class = VaultGemmaModel
