"""Open-Llama: Llama with normalised embeddings, which also score the vocabulary."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.open_llama.config import OpenLlamaConfig


class OpenLlamaPreTrainedModel(PreTrainedModel):
    """What all Open-Llama classes share."""

    config_class = OpenLlamaConfig
    base_model_prefix = "model"


class OpenLlamaModel(OpenLlamaPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {"layers.*.mlp.0": "layers.*.mlp"}  # dropout follows it
    embed_layer_norm: nn.LayerNorm | None

    def make_embeddings(self, config: OpenLlamaConfig) -> None:
        super().make_embeddings(config)
        self.embed_layer_norm = nn.LayerNorm(config.hidden_size) if config.use_stable_embedding else None

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        hidden = super().embed(input_ids, inputs_embeds, position_ids, past)
        return hidden if self.embed_layer_norm is None else self.embed_layer_norm(hidden)

    def make_attention(self, config: OpenLlamaConfig, layer_idx: int) -> nn.Module:
        return attention_of(config, layer_idx, dropout=config.attention_dropout_prob)

    def make_mlp(self, config: OpenLlamaConfig, layer_idx: int) -> nn.Module:
        return nn.Sequential(super().make_mlp(config, layer_idx), nn.Dropout(config.hidden_dropout_prob))


class OpenLlamaForCausalLM(ForCausalLM, OpenLlamaPreTrainedModel):
    """Open-Llama with a language modeling head."""

    base_class = OpenLlamaModel

    def ties(self) -> dict[str, str]:
        return dict(self.tied_weights) if self.config.shared_input_output_embedding else super().ties()


class OpenLlamaForSequenceClassification(ForLastTokenClassification, OpenLlamaPreTrainedModel):
    """Open-Llama with a classifier on the token before the first pad token."""

    base_class = OpenLlamaModel

    def last_tokens(self, input_ids: Tensor | None, hidden: Tensor) -> Tensor:
        last = super().last_tokens(input_ids, hidden)
        if input_ids is None or self.config.pad_token_id is None:
            return last
        first_pad = (input_ids == self.config.pad_token_id).int().argmax(-1).to(hidden.device)
        return (first_pad - 1) % hidden.shape[1]  # -1, the last token, where there is none
