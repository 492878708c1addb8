"""Gemma: Llama with norm weights stored as offsets from one and scaled embeddings."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, gated_mlp_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import PreNormLayer
from zoo_text.gemma.config import GemmaConfig
from zoo_text.gemma2.model import gemma_norm


class GemmaPreTrainedModel(PreTrainedModel):
    """What all Gemma classes share."""

    config_class = GemmaConfig
    base_model_prefix = "model"


class GemmaModel(GemmaPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_layer(self, config: GemmaConfig, layer_idx: int) -> nn.Module:
        return PreNormLayer(
            config.hidden_size,
            gemma_norm(config),
            self_attn=attention_of(config, layer_idx),
            mlp=gated_mlp_of(config),
        )

    def make_norm(self, config: GemmaConfig) -> nn.Module:
        return gemma_norm(config)(config.hidden_size)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        hidden = super().embed(input_ids, inputs_embeds, position_ids, past)
        return hidden * hidden.new_tensor(self.config.hidden_size**0.5)  # rounded to the dtype


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
