"""T5Gemma: a Gemma 2 that attends both ways and another that reads from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.heads.seq2seq import ForConditionalGeneration
from zoo_core.modeling.decoder import attention_of, layer_rule
from zoo_core.modeling.loss import sequence_loss, token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    ModelOutput,
    Seq2SeqModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from zoo_core.modeling.seq2seq import Seq2SeqModel, shift_tokens_right
from zoo_core.nn.activation import softcap
from zoo_core.nn.cache import Cache
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.layer import has_source
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import FULL, AttentionContext, MaskRule
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory
from zoo_text.gemma.model import GemmaDecoder
from zoo_text.t5gemma.config import T5GemmaConfig, T5GemmaModuleConfig


class T5GemmaPreTrainedModel(PreTrainedModel):
    """What all T5Gemma classes share."""

    config_class = T5GemmaConfig
    base_model_prefix = "model"


class T5GemmaLayer(nn.Module):
    """Norms before and after self-attention, in a decoder cross-attention, and the MLP."""

    def __init__(
        self,
        size: int,
        norm: NormFactory,
        *,
        self_attn: nn.Module,
        mlp: nn.Module,
        cross_attn: nn.Module | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.self_attn, self.mlp, self.cross_attn = self_attn, mlp, cross_attn
        branches = (
            ("self_attn", "feedforward") if cross_attn is None else ("self_attn", "cross_attn", "feedforward")
        )
        for branch in branches:
            self.add_module(f"pre_{branch}_layernorm", norm(size))
            self.add_module(f"post_{branch}_layernorm", norm(size))
        self.dropout = Dropout(dropout)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        changed = self.self_attn(self.pre_self_attn_layernorm(hidden), context, **attention)
        hidden = hidden + self.dropout(self.post_self_attn_layernorm(changed))
        if self.cross_attn is not None and has_source(context):
            changed = self.cross_attn(self.pre_cross_attn_layernorm(hidden), context)
            hidden = hidden + self.dropout(self.post_cross_attn_layernorm(changed))
        changed = self.mlp(self.pre_feedforward_layernorm(hidden))
        return hidden + self.dropout(self.post_feedforward_layernorm(changed))


class T5GemmaStack(T5GemmaPreTrainedModel, GemmaDecoder):
    """What encoder and decoder share; padding is where `pad_token_id` stands unless said or cached."""

    config_class = T5GemmaModuleConfig
    layer_class = T5GemmaLayer

    def make_embeddings(self, config: T5GemmaModuleConfig) -> None:
        super().make_embeddings(config)
        self.dropout = Dropout(config.dropout_rate)

    def rule(self, config: T5GemmaModuleConfig, layer_idx: int) -> MaskRule:
        """What the self-attention of a layer may see."""
        return layer_rule(config, layer_idx)

    def make_attention(self, config: T5GemmaModuleConfig, layer_idx: int, **options: Any) -> nn.Module:
        options = {"rule": self.rule(config, layer_idx), **options}
        scale = config.query_pre_attn_scalar**-0.5
        return attention_of(config, layer_idx, scale=scale, softcap=config.attn_logit_softcapping, **options)

    def make_mlp(self, config: T5GemmaModuleConfig, layer_idx: int) -> nn.Module:
        size, inner = config.hidden_size, config.intermediate_size
        return GatedMLP(size, inner, config.hidden_activation, dropout=config.dropout_rate)

    def layer_options(self, config: T5GemmaModuleConfig) -> dict[str, Any]:
        return {"dropout": config.dropout_rate}

    def embed(self, *inputs: Any) -> Tensor:
        return self.dropout(super().embed(*inputs))

    def finish(self, hidden: Tensor) -> Tensor:
        return self.dropout(super().finish(hidden))

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        cache = self.cache_for(past_key_values, use_cache)
        if attention_mask is None and input_ids is not None and cache is None:
            attention_mask = input_ids != self.config.pad_token_id
        return super().forward(
            input_ids, attention_mask, past_key_values=cache, use_cache=cache is not None, **inputs
        )


class T5GemmaEncoder(T5GemmaStack):
    """The stack that sees its input both ways."""

    def rule(self, config: T5GemmaModuleConfig, layer_idx: int) -> MaskRule:
        return MaskRule(window=layer_rule(config, layer_idx).window)

    def cache_for(self, past_key_values: Cache | None, use_cache: bool | None) -> Cache | None:
        return None

    def run(self, *inputs: Any, **options: Any) -> ModelOutput:
        return BaseModelOutput.carry(super().run(*inputs, **options))


class T5GemmaDecoder(T5GemmaStack):
    """The causal stack, whose layers read the encoder's states."""

    output_class = BaseModelOutputWithPastAndCrossAttentions

    def make_layer(self, config: T5GemmaModuleConfig, layer_idx: int) -> nn.Module:
        source = config.cross_attention_hidden_size
        return T5GemmaLayer(
            config.hidden_size,
            self.norm_of(config),
            self_attn=self.make_attention(config, layer_idx),
            cross_attn=self.make_attention(config, layer_idx, rule=FULL, cross=True, kv_size=source),
            mlp=self.make_mlp(config, layer_idx),
            dropout=config.dropout_rate,
        )

    def run(
        self,
        hidden: Tensor,
        context: AttentionContext,
        position_ids: Tensor | None,
        *,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        context.encoder_states = encoder_hidden_states
        if encoder_attention_mask is not None:
            context.encoder_padding = encoder_attention_mask[:, None, None, :] != 0
        return super().run(hidden, context, position_ids, **inputs)


class T5GemmaModel(Seq2SeqModel, T5GemmaPreTrainedModel):
    """Encoder and decoder, with embeddings of their own."""

    def __init__(self, config: T5GemmaConfig) -> None:
        super().__init__(config)
        self.encoder = T5GemmaEncoder(config.encoder)
        self.decoder = T5GemmaDecoder(config.decoder)
        self.post_init()

    def forward(
        self, input_ids: Tensor | None = None, *, decoder_position_ids: Tensor | None = None, **inputs: Any
    ) -> Seq2SeqModelOutput:
        outputs = super().forward(input_ids, decoder_extra={"position_ids": decoder_position_ids}, **inputs)
        if outputs.decoder_hidden_states is None:
            outputs.decoder_hidden_states = (outputs.last_hidden_state,)
        return outputs


class T5GemmaEncoderModel(T5GemmaPreTrainedModel):
    """The encoder alone, under the names of the whole model."""

    def __init__(self, config: T5GemmaConfig) -> None:
        super().__init__(config)
        self.encoder = T5GemmaEncoder(config.encoder)
        self.post_init()

    def get_encoder(self) -> nn.Module:
        return self.encoder

    def forward(self, input_ids: Tensor | None = None, **inputs: Any) -> ModelOutput:
        return self.encoder(input_ids, **inputs)


def decoder_inputs(config: T5GemmaConfig, ids: Tensor) -> Tensor:
    """Ids after the decoder's first token."""
    return shift_tokens_right(ids, config.decoder.pad_token_id, config.decoder.bos_token_id)


class T5GemmaForConditionalGeneration(ForConditionalGeneration, T5GemmaPreTrainedModel):
    """T5Gemma with a language modeling head whose scores are capped."""

    base_class = T5GemmaModel
    head_names = {"lm_head": "lm_head.out_proj"}
    tied_weights = {"lm_head.weight": "model.decoder.embed_tokens.weight"}

    def build_head(self, config: T5GemmaConfig) -> None:
        self.lm_head = Linear(config.decoder.hidden_size, config.decoder.vocab_size, bias=False)

    def score(self, hidden: Tensor) -> Tensor:
        return softcap(super().score(hidden), self.config.decoder.final_logit_softcapping)

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        return decoder_inputs(self.config, labels)


class T5GemmaClassifier(T5GemmaPreTrainedModel):
    """Labels of the decoder's states, or, unless `is_encoder_decoder`, of the encoder's."""

    output_class: ClassVar[type[ModelOutput]]

    def __init__(self, config: T5GemmaConfig, is_encoder_decoder: bool | None = None) -> None:
        if is_encoder_decoder is not None:
            config.is_encoder_decoder = is_encoder_decoder
        super().__init__(config)
        whole = config.is_encoder_decoder
        self.model = T5GemmaModel(config) if whole else T5GemmaEncoderModel(config)
        size = (config.decoder if whole else config.encoder).hidden_size
        self.dropout = Dropout(config.classifier_dropout_rate)
        self.score = nn.Linear(size, config.num_labels)
        self.post_init()

    @property
    def hub_names(self) -> Mapping[str, Any]:  # type: ignore[override]
        return {"score": "score.out_proj"}

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        raise NotImplementedError

    def pick(self, logits: Tensor, input_ids: Tensor | None) -> Tensor:
        """The logits that count, of those of all tokens."""
        return logits

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        decoder_input_ids: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        whole = self.config.is_encoder_decoder
        if whole:
            if decoder_input_ids is None and inputs.get("decoder_inputs_embeds") is None:
                if input_ids is None:
                    raise ValueError(
                        "pass decoder_input_ids with inputs_embeds: nothing else says what to decode"
                    )
                decoder_input_ids = decoder_inputs(self.config, input_ids)
            inputs.update(decoder_input_ids=decoder_input_ids, use_cache=False)
        else:
            inputs = {name: value for name, value in inputs.items() if not name.startswith("decoder_")}
        outputs = self.model(input_ids, **inputs)
        logits = self.pick(self.score(self.dropout(outputs.last_hidden_state)), input_ids)
        side = "decoder_" if whole else ""
        return self.output_class(
            loss=None if labels is None else self.loss(logits, labels),
            logits=logits,
            hidden_states=outputs.get(f"{side}hidden_states"),
            attentions=outputs.get(f"{side}attentions"),
        )


class T5GemmaForSequenceClassification(T5GemmaClassifier):
    """T5Gemma with a classifier on the last token of the source, or where the decoder has read it."""

    output_class = SequenceClassifierOutput

    def pick(self, logits: Tensor, input_ids: Tensor | None) -> Tensor:
        rows, length = logits.shape[:2]
        if input_ids is None:
            return logits[:, -1]
        last = (
            (input_ids != self.config.pad_token_id) * torch.arange(input_ids.shape[1], device=logits.device)
        ).argmax(-1)
        if self.config.is_encoder_decoder:  # the decoder's inputs stand one to the right
            last = (last + 1).clamp(max=length - 1)
        return logits[torch.arange(rows, device=logits.device), last]

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return sequence_loss(logits, labels, self.config)


class T5GemmaForTokenClassification(T5GemmaClassifier):
    """T5Gemma with a classifier on each token."""

    output_class = TokenClassifierOutput

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return token_loss(logits, labels)
