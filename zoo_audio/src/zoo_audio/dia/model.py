"""Dia: an encoder of bytes and a decoder that writes all codebooks of a frame at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.dia.config import DiaConfig, DiaDecoderConfig, DiaEncoderConfig
from zoo_audio.dia.generation import DiaGeneration
from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.decoder import rotary_of
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    ModelOutput,
    Seq2SeqLMOutput,
)
from zoo_core.modeling.seq2seq import Seq2SeqModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.stack import run_layers


class DiaPreTrainedModel(PreTrainedModel):
    """What all Dia classes share."""

    config_class = DiaConfig
    base_model_prefix = "model"


class DiaLayer(PreNormLayer):
    """A layer of the encoder, or with `decoder` of the decoder; dot products are not scaled."""

    def __init__(self, config: PretrainedConfig, layer_idx: int, *, decoder: bool) -> None:
        size = config.hidden_size
        attention = partial(Attention, size, bias=False, scale=1.0, layer_idx=layer_idx if decoder else None)
        crossing = None
        if decoder:
            crossing = attention(
                config.cross_num_attention_heads,
                num_kv_heads=config.cross_num_key_value_heads,
                head_dim=config.cross_head_dim,
                cross=True,
                kv_size=config.cross_hidden_size,
            )
        super().__init__(
            size,
            partial(RMSNorm, eps=config.norm_eps),
            self_attn=attention(
                config.num_attention_heads,
                num_kv_heads=config.num_key_value_heads,
                head_dim=config.head_dim,
                rule=CAUSAL if decoder else FULL,
            ),
            cross_attn=crossing,
            mlp=GatedMLP(size, config.intermediate_size, config.hidden_act),
        )
        self.hub_names: Any = {
            "self_attn": "self_attention",
            "cross_attn": "cross_attention",
            "input_layernorm": "pre_sa_norm",
            "cross_attn_layernorm": "pre_ca_norm",
            "post_attention_layernorm": "pre_mlp_norm" if decoder else "post_sa_norm",
            ("mlp.gate_proj.weight", "mlp.up_proj.weight"): Fused("mlp.gate_up_proj.weight"),
        }


class DiaEncoder(DiaPreTrainedModel):
    """Bytes (batch, sequence) to states."""

    config_class = DiaEncoderConfig
    hub_names = {"embed_tokens": "embedding"}

    def __init__(self, config: DiaEncoderConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.rotary = rotary_of(config)
        self.layers = nn.ModuleList(
            DiaLayer(config, i, decoder=False) for i in range(config.num_hidden_layers)
        )
        self.norm = RMSNorm(config.hidden_size, config.norm_eps)
        self.post_init()

    def forward(
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None
    ) -> BaseModelOutput:
        if input_ids is None:
            raise ValueError("pass input_ids (batch, sequence)")
        hidden = self.embed_tokens(input_ids)
        context = AttentionContext(hidden, attention_mask)
        rotary = self.rotary(context.positions, dtype=hidden.dtype)
        hidden = run_layers(self.layers, hidden, context, norm=self.norm, rotary=rotary)
        return BaseModelOutput(last_hidden_state=hidden)


class DiaDecoder(DiaPreTrainedModel):
    """Codes (batch, frames, channels) and the encoder's states to states (batch, frames, hidden)."""

    config_class = DiaDecoderConfig
    hub_names = {"embed_tokens": "embeddings.embed"}

    def __init__(self, config: DiaDecoderConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size * config.num_channels, config.hidden_size)
        self.rotary = rotary_of(config)
        self.layers = nn.ModuleList(
            DiaLayer(config, i, decoder=True) for i in range(config.num_hidden_layers)
        )
        self.norm = RMSNorm(config.hidden_size, config.norm_eps)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        *,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        channels = self.config.num_channels
        if input_ids is None or input_ids.dim() != 3 or input_ids.shape[-1] != channels:
            seen = None if input_ids is None else tuple(input_ids.shape)
            raise ValueError(f"decoder ids are {seen}; expected (batch, frames, {channels} channels)")
        cache = self.cache_for(past_key_values, use_cache)
        first = torch.arange(channels, device=input_ids.device) * self.config.vocab_size
        hidden = self.embed_tokens(input_ids + first).sum(2)
        context = AttentionContext(
            hidden,
            attention_mask,
            cache=cache,
            positions=cache_position,
            encoder_states=encoder_hidden_states,
            encoder_padding=encoder_attention_mask,
        )
        positions = context.positions if position_ids is None else position_ids
        rotary = self.rotary(positions, dtype=hidden.dtype)
        hidden = run_layers(self.layers, hidden, context, norm=self.norm, rotary=rotary)
        return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=hidden, past_key_values=cache)


class DiaModel(Seq2SeqModel, DiaPreTrainedModel):
    """Encoder and decoder."""

    def __init__(self, config: DiaConfig) -> None:
        super().__init__(config)
        self.encoder = DiaEncoder(config.encoder_config)
        self.decoder = DiaDecoder(config.decoder_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.embed_tokens

    def default_decoder_input_ids(self, input_ids: Tensor | None) -> Tensor | None:
        """The start of every channel."""
        if input_ids is None:
            return super().default_decoder_input_ids(input_ids)
        shape = (len(input_ids), 1, self.config.decoder_config.num_channels)
        return torch.full(shape, self.config.bos_token_id, device=input_ids.device)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_position_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Bytes (batch, source) and codes (batch, frames, channels), or (batch x channels, frames).

        `labels` are the head's and change nothing here.
        """
        channels = self.config.decoder_config.num_channels
        if decoder_input_ids is not None and decoder_input_ids.dim() == 2:
            decoder_input_ids = decoder_input_ids.unflatten(0, (-1, channels)).transpose(1, 2)
        return super().forward(
            input_ids,
            attention_mask,
            decoder_input_ids,
            decoder_attention_mask,
            decoder_extra={"position_ids": decoder_position_ids},
            **inputs,
        )


class DiaForConditionalGeneration(DiaGeneration, DiaPreTrainedModel):
    """Dia that speaks; logits are (batch x channels, frames, vocabulary)."""

    hub_names = {"lm_head": "logits_dense"}

    def __init__(self, config: DiaConfig) -> None:
        super().__init__(config)
        decoder = config.decoder_config
        self.model = DiaModel(config)
        self.lm_head = Linear(decoder.hidden_size, decoder.num_channels * decoder.vocab_size, bias=False)
        self.post_init()

    def get_encoder(self) -> nn.Module:
        return self.model.encoder

    def get_decoder(self) -> nn.Module:
        return self.model.decoder

    def get_output_embeddings(self) -> nn.Module | None:
        return None  # its rows are the tokens of every channel

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> Seq2SeqLMOutput:
        """As the base model; `labels` (batch x channels, frames) are the next ids, -100 for none."""
        outputs = self.model(input_ids, attention_mask, decoder_input_ids, **inputs)
        logits = self.lm_head(outputs.last_hidden_state)
        logits = logits.unflatten(-1, (self.config.decoder_config.num_channels, -1)).transpose(1, 2)
        logits = logits.flatten(0, 1)
        loss = None if labels is None else token_loss(logits, labels)
        return Seq2SeqLMOutput.carry(outputs, loss=loss, logits=logits)
