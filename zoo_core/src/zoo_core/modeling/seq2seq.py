"""Encoder-decoder models: two stacks joined by cross-attention.

`Seq2SeqStack` is the text stack of BART and its many relatives; `Seq2SeqModel` joins any encoder and
decoder. An architecture overrides the methods that say what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    ModelOutput,
    Seq2SeqModelOutput,
)
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import embed
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers


def shift_tokens_right(ids: Tensor, pad_token_id: int | None, decoder_start_token_id: int | None) -> Tensor:
    """Labels (batch, sequence) as decoder inputs: the start token, then all but the last; -100 is padding.

    Raises:
        ValueError: the config names no start token, or no padding.
    """
    if decoder_start_token_id is None or pad_token_id is None:
        missing = "decoder_start_token_id" if decoder_start_token_id is None else "pad_token_id"
        raise ValueError(f"config.{missing} is None; set it, or pass decoder_input_ids instead of labels")
    shifted = torch.cat((torch.full_like(ids[:, :1], decoder_start_token_id), ids[:, :-1]), dim=1)
    return shifted.masked_fill(shifted == -100, pad_token_id)


class Seq2SeqStack(PreTrainedModel):
    """Embeddings, layers and norms of an encoder, or with `decoder` of a decoder.

    `make_positions` and `make_layer` say what they are; `embedding_norm` and `final_norm` whether the
    stack begins and ends with a norm.
    """

    embedding_norm = True
    final_norm = False

    def __init__(self, config: PretrainedConfig, *, decoder: bool = False) -> None:
        super().__init__(config)
        self.is_decoder = decoder
        self.embed_tokens = self.make_embeddings(config)
        self.make_inputs(config)
        self.layers = nn.ModuleList(self.make_layer(config, i) for i in range(self.depth(config)))
        self.norm = self.make_norm(config)
        self.post_init()

    def depth(self, config: PretrainedConfig) -> int:
        """How many layers there are."""
        return config.decoder_layers if self.is_decoder else config.encoder_layers

    def make_inputs(self, config: PretrainedConfig) -> None:
        """Create what `embed` needs besides `embed_tokens`."""
        size = config.d_model
        self.embed_scale = size**0.5 if getattr(config, "scale_embedding", False) else 1.0
        self.embed_positions = self.make_positions(config)
        self.layernorm_embedding = nn.LayerNorm(size) if self.embedding_norm else None
        self.dropout = nn.Dropout(config.dropout)

    def make_norm(self, config: PretrainedConfig) -> nn.Module | None:
        """The norm after the last layer, if any."""
        return nn.LayerNorm(config.d_model) if self.final_norm else None

    def make_embeddings(self, config: PretrainedConfig) -> nn.Embedding:
        """The table of token embeddings."""
        return nn.Embedding(config.vocab_size, config.d_model, padding_idx=config.pad_token_id)

    def make_positions(self, config: PretrainedConfig) -> nn.Module:
        """A module called as positions(position_ids, past, hidden), giving (1 or batch, sequence, size)."""
        raise NotImplementedError

    def make_layer(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        """Layer number `layer_idx`."""
        raise NotImplementedError

    def positions(
        self, input_ids: Tensor | None, hidden: Tensor, past: int, position_ids: Tensor | None
    ) -> Tensor:
        """What is added to the embedded tokens."""
        return self.embed_positions(position_ids, past, hidden)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        """Ids or vectors that follow `past` others to (batch, sequence, size)."""
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        if inputs_embeds is None and self.embed_scale != 1.0:
            hidden = hidden * self.embed_scale
        hidden = hidden + self.positions(input_ids, hidden, past, position_ids)
        if self.layernorm_embedding is not None:
            hidden = self.layernorm_embedding(hidden)
        return self.dropout(hidden)

    def share(self, context: AttentionContext) -> None:
        """Put into `context` what all layers read."""

    def finish(self, hidden: Tensor) -> Tensor:
        """What happens to the states after the last norm."""
        return hidden

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
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
    ) -> ModelOutput:
        """ids (batch, sequence) to states (batch, sequence, size); the encoder's states are the source."""
        cache = self.cache_for(past_key_values, use_cache) if self.is_decoder else None
        past = 0 if cache is None else cache.length
        hidden = self.embed(input_ids, inputs_embeds, position_ids, past)
        context = AttentionContext(
            hidden,
            attention_mask,
            cache=cache,
            positions=cache_position,
            encoder_states=encoder_hidden_states,
            encoder_padding=encoder_attention_mask,
        )
        context.blind_queries_average = True
        context.cross_head_mask = cross_attn_head_mask
        self.share(context)
        hidden = self.finish(run_layers(self.layers, hidden, context, norm=self.norm, head_mask=head_mask))
        if self.is_decoder:
            return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=hidden, past_key_values=cache)
        return BaseModelOutput(last_hidden_state=hidden)


class Seq2SeqModel(PreTrainedModel):
    """An encoder and a decoder; a subclass creates both, and `shared` embeddings if they share them."""

    encoder: PreTrainedModel
    decoder: PreTrainedModel
    output_class: ClassVar[type[Seq2SeqModelOutput]] = Seq2SeqModelOutput

    def get_encoder(self) -> nn.Module:
        return self.encoder

    def get_decoder(self) -> nn.Module:
        return self.decoder

    def ties(self) -> dict[str, str]:
        shared = {f"{part}.embed_tokens.weight": "shared.weight" for part in ("encoder", "decoder")}
        return {**super().ties(), **shared} if hasattr(self, "shared") else super().ties()

    def default_decoder_input_ids(self, input_ids: Tensor | None) -> Tensor | None:
        """What the decoder reads when nothing is said; an error unless an architecture has a convention."""
        raise ValueError("pass decoder_input_ids, decoder_inputs_embeds or labels")

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        decoder_extra: Mapping[str, Any] | None = None,
        **inputs: Any,
    ) -> Seq2SeqModelOutput:
        """Source (batch, source) and target (batch, target) ids to states (batch, target, size).

        `encoder_outputs` of an earlier call spares running the encoder again. `inputs` are further
        arguments of the encoder, `decoder_extra` of the decoder.
        """
        if decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.default_decoder_input_ids(input_ids)
        if encoder_outputs is None:
            given = {"attention_mask": attention_mask, "inputs_embeds": inputs_embeds, "head_mask": head_mask}
            encoder_outputs = self.encoder(input_ids, **_present(given), **inputs)
        encoded = as_output(encoder_outputs)
        decoded = self.decoder(
            decoder_input_ids,
            encoder_hidden_states=encoded.last_hidden_state,
            encoder_attention_mask=self.encoder_padding(attention_mask, encoded),
            **_present(
                {
                    "attention_mask": decoder_attention_mask,
                    "inputs_embeds": decoder_inputs_embeds,
                    "past_key_values": past_key_values,
                    "use_cache": use_cache,
                    "cache_position": cache_position,
                    "head_mask": decoder_head_mask,
                    "cross_attn_head_mask": cross_attn_head_mask,
                    **(decoder_extra or {}),
                }
            ),
        )
        return self.output_class.join(encoded, decoded)

    def encoder_padding(self, attention_mask: Tensor | None, encoded: ModelOutput) -> Tensor | None:
        """The padding of the encoder's states; it differs from the input's where the encoder shortens."""
        return attention_mask


def as_output(encoder_outputs: ModelOutput | tuple[Tensor, ...]) -> ModelOutput:
    """Encoder outputs that a caller kept as a tuple, by name again."""
    if isinstance(encoder_outputs, ModelOutput):
        return encoder_outputs
    named: dict[str, Any] = dict(zip(BaseModelOutput.fields, encoder_outputs, strict=False))
    return BaseModelOutput(**named)


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
