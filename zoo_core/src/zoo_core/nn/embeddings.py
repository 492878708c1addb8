"""Embeddings of token ids."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.nn.cache import positions_after


class TextEmbeddings(nn.Module):
    """Sum of word, position and segment embeddings, then norm and dropout (BERT).

    Args:
        vocab_size, max_positions, type_vocab_size: rows of the three tables; 0 leaves a table out.
        hidden_size: width. pad_token_id: the row of the word table that stays zero in training.
    """

    position_embeddings: nn.Embedding | None
    token_type_embeddings: nn.Embedding | None
    #: False where positions count in attention alone, and their table only stands in the checkpoint
    adds_positions = True

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int,
        *,
        max_positions: int,
        type_vocab_size: int,
        pad_token_id: int | None,
        eps: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, hidden_size, padding_idx=pad_token_id)
        self.position_embeddings = nn.Embedding(max_positions, hidden_size) if max_positions else None
        self.token_type_embeddings = nn.Embedding(type_vocab_size, hidden_size) if type_vocab_size else None
        self.layer_norm = nn.LayerNorm(hidden_size, eps=eps)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        input_ids: Tensor | None,
        *,
        inputs_embeds: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_length: int = 0,
    ) -> Tensor:
        """ids (batch, sequence), or vectors (batch, sequence, hidden), to (batch, sequence, hidden)."""
        hidden = embed(self.word_embeddings, input_ids, inputs_embeds)
        if self.token_type_embeddings is not None:
            if token_type_ids is None:
                hidden = hidden + self.token_type_embeddings.weight[0]
            else:
                hidden = hidden + self.token_type_embeddings(token_type_ids)
        if self.position_embeddings is not None and self.adds_positions:
            if position_ids is None:
                position_ids = self.default_positions(input_ids, hidden, past_length)
            check_positions(
                position_ids, self.position_embeddings.num_embeddings, hidden.shape[1] + past_length
            )
            hidden = hidden + self.position_embeddings(position_ids)
        return self.dropout(self.layer_norm(hidden))

    def default_positions(self, input_ids: Tensor | None, hidden: Tensor, past: int) -> Tensor:
        """Positions (sequence,) or (batch, sequence) of tokens that follow `past` others."""
        return positions_after(past, hidden.shape[1], hidden.device)


class UnpaddedTextEmbeddings(TextEmbeddings):
    """Positions count the tokens that are not padding, from pad_token_id + 1 on (RoBERTa)."""

    def default_positions(self, input_ids: Tensor | None, hidden: Tensor, past: int) -> Tensor:
        pad = self.word_embeddings.padding_idx
        assert pad is not None
        if input_ids is None:
            return super().default_positions(input_ids, hidden, past) + pad + 1
        counted = (input_ids != pad).int()
        return (counted.cumsum(1) + past) * counted + pad


class LearnedPositions(nn.Embedding):
    """A table of position embeddings.

    Args:
        positions: rows that may be used. offset: added to every position, with as many rows more (OPT).
    """

    def __init__(self, positions: int, hidden_size: int, *, offset: int = 0) -> None:
        super().__init__(positions + offset, hidden_size)
        self.offset = offset

    def forward(self, position_ids: Tensor | None, past: int, hidden: Tensor) -> Tensor:  # type: ignore[override]
        """(1 or batch, sequence, hidden) for given positions, or for those that follow `past` tokens."""
        length = hidden.shape[1]
        if position_ids is None:
            position_ids = positions_after(past, length, hidden.device)[None]
        check_positions(position_ids, self.num_embeddings - self.offset, past + length)
        return super().forward(position_ids + self.offset)


def embed(table: nn.Module, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
    """The vectors of ids, or the given vectors; exactly one of both must be given."""
    if (input_ids is None) == (inputs_embeds is None):
        raise ValueError("pass exactly one of input_ids and inputs_embeds")
    return inputs_embeds if inputs_embeds is not None else table(input_ids)


def check_positions(position_ids: Tensor, available: int, length: int) -> None:
    """Refuse a sequence longer than a table of positions, before an index error says less."""
    if torch.compiler.is_compiling() or not isinstance(length, int):
        return
    if length > available and position_ids.shape[-1] > 0:
        highest = int(position_ids.max())
        if highest >= available:
            raise ValueError(
                f"the sequence reaches position {highest}, but this model has embeddings for {available} "
                f"positions (0 to {available - 1}); shorten the input (truncation=True, max_length=...)"
            )
