"""RoFormer: a BERT without positions in its embeddings; queries and keys are turned by them."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT, BERT_LM_HEAD
from zoo_core.heads.first_token import FirstTokenClassifier, ForFirstTokenClassification
from zoo_core.heads.language import ForCausalLM, ForMaskedLM, LMTransform
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
)
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.masks import CAUSAL, FULL
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.sinusoid import SinusoidalTable
from zoo_text.bert.model import LM_TIE, BertLayer
from zoo_text.electra.model import ElectraForMultipleChoice, ElectraModel
from zoo_text.roformer.config import RoFormerConfig


class RoFormerPreTrainedModel(PreTrainedModel):
    """What all RoFormer classes share."""

    config_class = RoFormerConfig
    base_model_prefix = "roformer"


class TurnedValues(Attention):
    """Attention whose values are turned by their positions too."""

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = super().heads(hidden, rotary)
        return query, key, value if rotary is None else rotary(value)


class RoFormerLayer(BertLayer):
    """A layer of BERT; its attention is handed the turns."""

    def __init__(self, config: RoFormerConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)  # type: ignore[arg-type]
        if config.rotary_value:
            self.self_attn = TurnedValues(
                config.hidden_size,
                config.num_attention_heads,
                dropout=config.attention_probs_dropout_prob,
                rule=CAUSAL if config.is_decoder else FULL,
                layer_idx=layer_idx,
            )


class RoFormerModel(RoFormerPreTrainedModel, ElectraModel):
    """The encoder without a head; sines and cosines of the turns stand in the checkpoint."""

    hub_names = {**BERT, "embed_positions": "encoder.embed_positions"}
    layer_class = RoFormerLayer

    def make_embeddings(self, config: RoFormerConfig) -> None:  # type: ignore[override]
        super().make_embeddings(config)  # type: ignore[arg-type]
        self.embeddings.position_embeddings = None
        width = config.hidden_size // config.num_attention_heads
        self.embed_positions = SinusoidalTable(config.max_position_embeddings, width)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        past_key_values: Cache | None = None,
        **inputs: Any,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """As BERT's."""
        past = 0 if past_key_values is None or not self.config.is_decoder else past_key_values.length
        given = input_ids if inputs_embeds is None else inputs_embeds
        if given is None:
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        sin, cos = self.embed_positions(position_ids, past, given)[:, None].chunk(2, dim=-1)
        turns = RotaryTables(
            cos.repeat_interleave(2, dim=-1), sin.repeat_interleave(2, dim=-1), interleaved=True
        )
        return super().forward(
            input_ids,
            attention_mask,
            token_type_ids,
            inputs_embeds=inputs_embeds,
            past_key_values=past_key_values,
            layer_inputs={"rotary": turns},
            **inputs,
        )


class RoFormerLMHead(RoFormerPreTrainedModel):
    """The head that both language modeling objectives share."""

    base_class = RoFormerModel
    head_names = BERT_LM_HEAD
    tied_weights = LM_TIE

    def make_lm_head(self, config: RoFormerConfig) -> nn.Module:
        size, inner, eps = config.hidden_size, config.embedding_size, config.layer_norm_eps
        return LMTransform(size, config.vocab_size, act=config.hidden_act, eps=eps, inner_size=inner)


class RoFormerForMaskedLM(RoFormerLMHead, ForMaskedLM):
    """RoFormer with a masked language modeling head."""


class RoFormerForCausalLM(RoFormerLMHead, ForCausalLM):
    """RoFormer as a decoder; set `is_decoder` in the config for causal attention."""

    output_class = CausalLMOutputWithCrossAttentions


class RoFormerForSequenceClassification(ForFirstTokenClassification, RoFormerPreTrainedModel):
    """RoFormer with a classifier on the first token."""

    base_class = RoFormerModel
    base_options = {}

    def build_head(self, config: RoFormerConfig) -> None:
        self.classifier = FirstTokenClassifier(config, config.hidden_act)


class RoFormerForMultipleChoice(RoFormerPreTrainedModel, ElectraForMultipleChoice):
    """RoFormer with one score for each choice."""

    base_class = RoFormerModel


class RoFormerForTokenClassification(ForTokenClassification, RoFormerPreTrainedModel):
    """RoFormer with a classifier on each token."""

    base_class = RoFormerModel


class RoFormerForQuestionAnswering(ForQuestionAnswering, RoFormerPreTrainedModel):
    """RoFormer with scores of an answer's first and last token."""

    base_class = RoFormerModel
