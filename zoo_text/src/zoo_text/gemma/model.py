"""Gemma: Llama with norm weights stored as offsets from one and scaled embeddings."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, gated_mlp_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.norm import RMSNorm
from zoo_text.gemma.config import GemmaConfig


def gemma_norm(config: PretrainedConfig) -> partial[RMSNorm]:
    """Gemma's RMSNorm: the weight is an offset from one and multiplies in float32."""
    return partial(RMSNorm, eps=config.rms_norm_eps, unit_offset=True, scale_in_float32=True)


class GemmaDecoder(DecoderModel):
    """A decoder with Gemma's norm and with embeddings scaled by the root of the width."""

    def make_norm(self, config: PretrainedConfig) -> nn.Module:
        return gemma_norm(config)(config.hidden_size)

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

    def make_layer(self, config: GemmaConfig, layer_idx: int) -> nn.Module:
        return PreNormLayer(
            config.hidden_size,
            gemma_norm(config),
            self_attn=attention_of(config, layer_idx),
            mlp=gated_mlp_of(config),
        )


class GemmaForCausalLM(ForCausalLM, GemmaPreTrainedModel):
    """Gemma with a language modeling head."""

    base_class = GemmaModel
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}


class GemmaForSequenceClassification(ForLastTokenClassification, GemmaPreTrainedModel):
    """Gemma with a classifier on the last token."""

    base_class = GemmaModel


class GemmaForTokenClassification(ForTokenClassification, GemmaPreTrainedModel):
    """Gemma with a classifier on each token."""

    base_class = GemmaModel
    head_names = {"classifier": "score"}
