"""BERT for generation: BERT without segments and pooler, as the encoder or decoder of a joined model."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPastAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    ModelOutput,
)
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_text.bert.model import BertModel
from zoo_text.bert_generation.config import BertGenerationConfig


class BertGenerationPreTrainedModel(PreTrainedModel):
    """What both classes share."""

    config_class = BertGenerationConfig
    base_model_prefix = "bert"
    ignored_names = ("*position_ids",)
    aliases = {"lm_head.decoder.bias": "lm_head.bias"}


class BertGenerationEncoder(BertGenerationPreTrainedModel, BertModel):
    """The model without a head; with `is_decoder` in the config its attention is causal."""

    def __init__(self, config: BertGenerationConfig) -> None:
        super().__init__(config, add_pooling_layer=False)

    def embed_with(self, config: BertGenerationConfig, width: int) -> TextEmbeddings:
        return TextEmbeddings(
            config.vocab_size,
            width,
            max_positions=config.max_position_embeddings,
            type_vocab_size=0,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        outputs = super().forward(input_ids, attention_mask, position_ids=position_ids, **inputs)
        return BaseModelOutputWithPastAndCrossAttentions.carry(outputs)


class BertGenerationDecoder(ForCausalLM, BertGenerationPreTrainedModel):
    """The model with a language modeling head."""

    base_class = BertGenerationEncoder
    head_names = {"lm_head.weight": "lm_head.decoder.weight"}
    tied_weights = {"lm_head.weight": "model.embeddings.word_embeddings.weight"}
    output_class = CausalLMOutputWithCrossAttentions

    def make_lm_head(self, config: BertGenerationConfig) -> nn.Module:
        return nn.Linear(config.hidden_size, config.vocab_size)
