"""Outputs of ProphetNet: as an encoder-decoder's, with those of the streams that predict ahead.

States of these streams are (batch, ngram x T, hidden), attentions (batch, ngram, heads, T, keys + T),
and logits_ngram (batch, ngram - 1, T, vocabulary) scores of the second, third, ... stream.
"""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor

from zoo_core.modeling.outputs import ModelOutput, Seq2SeqLMOutput, Seq2SeqModelOutput
from zoo_core.nn.cache import Cache

States = tuple[Tensor, ...] | None


class ProphetNetDecoderModelOutput(ModelOutput):
    """States of the decoder."""

    last_hidden_state: Tensor
    last_hidden_state_ngram: Tensor | None = None
    past_key_values: Cache | None = None
    hidden_states: States = None
    hidden_states_ngram: States = None
    attentions: States = None
    ngram_attentions: States = None
    cross_attentions: States = None


class ProphetNetDecoderLMOutput(ModelOutput):
    """Scores of the decoder's next token, and of further ones."""

    loss: Tensor | None = None
    logits: Tensor
    logits_ngram: Tensor | None = None
    past_key_values: Cache | None = None
    hidden_states: States = None
    hidden_states_ngram: States = None
    attentions: States = None
    ngram_attentions: States = None
    cross_attentions: States = None


class ProphetNetSeq2SeqModelOutput(Seq2SeqModelOutput, own_first=True):
    """States of the decoder, with those of the encoder."""

    last_hidden_state: Tensor
    last_hidden_state_ngram: Tensor | None = None
    past_key_values: Cache | None = None
    decoder_hidden_states: States = None
    decoder_ngram_hidden_states: States = None
    decoder_attentions: States = None
    decoder_ngram_attentions: States = None

    @classmethod
    def join(cls, encoder: ModelOutput, decoder: ModelOutput, **values: Any) -> Self:
        return super().join(
            encoder,
            decoder,
            last_hidden_state_ngram=decoder.last_hidden_state_ngram,
            decoder_ngram_hidden_states=decoder.hidden_states_ngram,
            decoder_ngram_attentions=decoder.ngram_attentions,
            **values,
        )


class ProphetNetSeq2SeqLMOutput(Seq2SeqLMOutput, own_first=True):
    """Scores of the decoder's next token, and of further ones."""

    loss: Tensor | None = None
    logits: Tensor
    logits_ngram: Tensor | None = None
    past_key_values: Cache | None = None
    decoder_hidden_states: States = None
    decoder_ngram_hidden_states: States = None
    decoder_attentions: States = None
    decoder_ngram_attentions: States = None
