"""The text part of BLIP: a BERT that reads, or with cross-attention and a causal mask writes."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT, BERT_LAYER, BERT_LM_HEAD
from zoo_core.generation import GenerationMixin
from zoo_core.heads.language import LMTransform
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
)
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext, Mask, MaskRule
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers
from zoo_multimodal.blip.config import BlipTextConfig
from zoo_text.bert.model import Pooler


class BlipTextContext(AttentionContext):
    """Whether attention is causal is a matter of the call, not of the layers."""

    rule: MaskRule = FULL

    def mask(self, rule: MaskRule, key_length: int, *, key_offset: int = 0) -> Mask:
        return super().mask(self.rule, key_length, key_offset=key_offset)


class BlipTextLayer(PostNormLayer):
    """Self-attention, cross-attention to the image, and a feed-forward block."""

    hub_names = BERT_LAYER

    def __init__(self, config: BlipTextConfig, layer_idx: int) -> None:
        attention = partial(
            Attention,
            config.hidden_size,
            config.num_attention_heads,
            dropout=config.attention_probs_dropout_prob,
            layer_idx=layer_idx,
        )
        crossing = attention(cross=True, kv_size=config.encoder_hidden_size) if config.is_decoder else None
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=attention(),
            cross_attn=crossing,
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )


class BlipTextPreTrainedModel(PreTrainedModel):
    """What both text classes share."""

    config_class = BlipTextConfig
    base_model_prefix = "bert"
    ignored_names = ("*position_ids",)


class BlipTextModel(BlipTextPreTrainedModel):
    """Embeddings, layers, and unless switched off the pooler."""

    hub_names = BERT

    def __init__(self, config: BlipTextConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = TextEmbeddings(
            config.vocab_size,
            config.hidden_size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=0,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        self.layers = nn.ModuleList(BlipTextLayer(config, i) for i in range(config.num_hidden_layers))
        self.pooler = Pooler(config.hidden_size) if add_pooling_layer else None
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        is_decoder: bool = False,
        cache_position: Tensor | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, hidden).

        `is_decoder` makes attention causal and allows a cache.
        """
        cache = self.cache_for(past_key_values, use_cache) if is_decoder else None
        hidden = self.embeddings(
            input_ids,
            inputs_embeds=inputs_embeds,
            position_ids=position_ids,
            past_length=0 if cache is None else cache.length,
        )
        context = BlipTextContext(
            hidden,
            attention_mask,
            cache=cache,
            positions=cache_position,
            encoder_states=encoder_hidden_states,
            encoder_padding=encoder_attention_mask,
        )
        context.rule = CAUSAL if is_decoder else FULL
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask)
        return BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=None if self.pooler is None else self.pooler(hidden),
            past_key_values=cache,
        )


class BlipTextLMHeadModel(GenerationMixin, BlipTextPreTrainedModel):
    """The text part with scores of the next token."""

    hub_names = {"model": "bert", **BERT_LM_HEAD}
    tied_weights = {"lm_head.decoder.weight": "model.embeddings.word_embeddings.weight"}

    def __init__(self, config: BlipTextConfig) -> None:
        super().__init__(config)
        self.model = BlipTextModel(config, add_pooling_layer=False)
        self.lm_head = LMTransform(
            config.hidden_size, config.vocab_size, act=config.hidden_act, eps=config.layer_norm_eps
        )
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        is_decoder: bool = True,
        **inputs: Any,
    ) -> CausalLMOutputWithCrossAttentions:
        """Logits (batch, sequence, vocab_size); the loss smooths labels by `config.label_smoothing`."""
        if labels is not None:
            inputs["use_cache"] = False
        outputs = self.model(input_ids, is_decoder=is_decoder, **inputs)
        logits = self.lm_head(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            loss = F.cross_entropy(
                logits[:, :-1].float().flatten(0, 1),
                labels[:, 1:].to(logits.device).flatten(),
                label_smoothing=self.config.label_smoothing,
            )
        return CausalLMOutputWithCrossAttentions.carry(outputs, loss=loss, logits=logits)
