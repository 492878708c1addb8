"""Moonshine: convolutions over the waveform, then an encoder and a decoder with rotary positions."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.moonshine.config import MoonshineConfig
from zoo_core.heads.seq2seq import ForConditionalGeneration
from zoo_core.modeling.decoder import rotary_of
from zoo_core.modeling.loss import causal_lm_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    ModelOutput,
)
from zoo_core.modeling.seq2seq import Seq2SeqModel
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers

_norm = partial(nn.LayerNorm, bias=False)


class MoonshinePreTrainedModel(PreTrainedModel):
    """What all Moonshine classes share."""

    config_class = MoonshineConfig
    base_model_prefix = "model"
    main_input_name = "input_values"


class FusedGatedMLP(nn.Module):
    """As `GatedMLP`, with one map that makes the values and, after them, the gate."""

    def __init__(self, size: int, inner: int, act: str) -> None:
        super().__init__()
        self.fc1, self.fc2 = Linear(size, 2 * inner), Linear(inner, size)
        self.act = activation(act)

    def forward(self, hidden: Tensor) -> Tensor:
        value, gate = self.fc1(hidden).chunk(2, dim=-1)
        return self.fc2(self.act(gate) * value)


class MoonshineLayer(PreNormLayer):
    """A layer of the encoder, or with `decoder` of the decoder."""

    def __init__(self, config: MoonshineConfig, layer_idx: int, *, decoder: bool = False) -> None:
        size, inner = config.hidden_size, config.intermediate_size
        attention = partial(
            Attention,
            size,
            config.decoder_num_attention_heads if decoder else config.encoder_num_attention_heads,
            num_kv_heads=config.decoder_num_key_value_heads
            if decoder
            else config.encoder_num_key_value_heads,
            bias=config.attention_bias,
            out_bias=False,
            dropout=config.attention_dropout,
        )
        if not decoder:
            act = config.encoder_hidden_act
            super().__init__(size, _norm, self_attn=attention(), mlp=MLP(size, inner, act))
            return
        super().__init__(
            size,
            _norm,
            self_attn=attention(rule=CAUSAL, layer_idx=layer_idx),
            cross_attn=attention(cross=True, layer_idx=layer_idx),
            mlp=FusedGatedMLP(size, inner, config.decoder_hidden_act),
        )
        self.hub_names = {
            "cross_attn": "encoder_attn",
            "cross_attn_layernorm": "post_attention_layernorm",
            "post_attention_layernorm": "final_layernorm",
        }


class MoonshineEncoder(MoonshinePreTrainedModel):
    """Waveforms (batch, samples) to states, one for 384 samples."""

    hub_names = {"norm": "layer_norm"}

    def __init__(self, config: MoonshineConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.conv1 = nn.Conv1d(1, size, 127, stride=64, bias=False)
        self.conv2 = nn.Conv1d(size, 2 * size, 7, stride=3)
        self.conv3 = nn.Conv1d(2 * size, size, 3, stride=2)
        self.groupnorm = nn.GroupNorm(1, size, eps=1e-5)
        self.rotary = rotary_of(config, interleaved=True)
        self.layers = nn.ModuleList(
            MoonshineLayer(config, i) for i in range(config.encoder_num_hidden_layers)
        )
        self.norm = _norm(size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.conv1

    def freeze(self) -> None:
        """Keep the encoder as it is in training."""
        self.requires_grad_(False)

    def frame_mask(self, frames: int, attention_mask: Tensor) -> Tensor:
        """The mask of the states (batch, frames): that of each state's first sample."""
        stride = 64 * 3 * 2
        return attention_mask[:, ::stride][:, :frames]

    def forward(
        self, input_values: Tensor | None = None, attention_mask: Tensor | None = None
    ) -> BaseModelOutput:
        """`attention_mask` (batch, samples), 0 for padding."""
        if input_values is None:
            raise ValueError("pass input_values (batch, samples)")
        if input_values.shape[-1] < 895:
            raise ValueError(
                f"Moonshine needs 895 samples or more, got {input_values.shape[-1]}; pad the sound"
            )
        hidden = self.groupnorm(self.conv1(input_values.to(self.dtype)[:, None]).tanh())
        hidden = F.gelu(self.conv3(F.gelu(self.conv2(hidden)))).transpose(1, 2)
        mask = None if attention_mask is None else self.frame_mask(hidden.shape[1], attention_mask)
        context = AttentionContext(hidden, mask)
        rotary = self.rotary(context.positions, dtype=hidden.dtype)
        hidden = run_layers(self.layers, hidden, context, norm=self.norm, rotary=rotary)
        return BaseModelOutput(last_hidden_state=hidden)


class MoonshineDecoder(MoonshinePreTrainedModel):
    """Tokens and the encoder's states to states."""

    main_input_name = "input_ids"

    def __init__(self, config: MoonshineConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(
            config.vocab_size, config.hidden_size, padding_idx=config.pad_token_id
        )
        self.rotary = rotary_of(config, interleaved=True)
        self.layers = nn.ModuleList(
            MoonshineLayer(config, i, decoder=True) for i in range(config.decoder_num_hidden_layers)
        )
        self.norm = _norm(config.hidden_size)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        *,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """ids (batch, sequence) to states (batch, sequence, hidden); the encoder's states are the source."""
        cache = self.cache_for(past_key_values, use_cache)
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
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


class MoonshineModel(Seq2SeqModel, MoonshinePreTrainedModel):
    """Encoder and decoder."""

    def __init__(self, config: MoonshineConfig) -> None:
        super().__init__(config)
        self.encoder = MoonshineEncoder(config)
        self.decoder = MoonshineDecoder(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.decoder.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.decoder.embed_tokens = value

    def freeze_encoder(self) -> None:
        """Keep the encoder as it is in training."""
        self.encoder.freeze()

    def encoder_padding(self, attention_mask: Tensor | None, encoded: ModelOutput) -> Tensor | None:
        if attention_mask is None:
            return None
        return self.encoder.frame_mask(encoded.last_hidden_state.shape[1], attention_mask)

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        decoder_position_ids: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """(batch, samples) and decoder_input_ids (batch, target) to states (batch, target, hidden)."""
        places = {"position_ids": decoder_position_ids}
        return super().forward(input_values, attention_mask, decoder_extra=places, **inputs)


class MoonshineForConditionalGeneration(ForConditionalGeneration, MoonshinePreTrainedModel):
    """Moonshine that transcribes."""

    base_class = MoonshineModel
    head_names = {"lm_head": "proj_out"}
    tied_weights = {"lm_head.weight": "model.decoder.embed_tokens.weight"}

    def forward(
        self, input_values: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        """As the base model; `labels` (batch, target) make the decoder's inputs and the loss."""
        return super().forward(input_values, attention_mask=attention_mask, **inputs)

    def scored(self, outputs: ModelOutput, labels: Tensor | None) -> ModelOutput:
        """As recorded, the loss shifts once more labels that made the decoder's inputs."""
        found = super().scored(outputs, None)
        if labels is not None:
            found.loss = causal_lm_loss(found.logits, labels)
        return found
