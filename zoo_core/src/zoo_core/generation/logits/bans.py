"""Tokens and sequences that must not, or had better, come next."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.logits.base import LogitsProcessor, token_ids


def _completing(ids: Tensor, recent: Tensor, size: int, scores: Tensor) -> Tensor:
    """(rows, vocabulary) tokens that would complete an n-gram of `ids` begun by the end of `recent`."""
    grams = ids.unfold(1, size, 1)
    begun = recent[:, recent.shape[1] - size + 1 :]
    matches = (grams[:, :, :-1] == begun[:, None]).all(-1)
    found = torch.zeros_like(scores)
    return found.scatter_add_(1, grams[:, :, -1], matches.to(scores.dtype)) > 0


class NoRepeatNGramLogitsProcessor(LogitsProcessor):
    """No n-gram of tokens occurs twice in a row (https://arxiv.org/abs/1705.04304)."""

    def __init__(self, ngram_size: int) -> None:
        if not isinstance(ngram_size, int) or ngram_size < 1:
            raise ValueError(f"no_repeat_ngram_size={ngram_size!r} must be a positive whole number")
        self.size = ngram_size

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if input_ids.shape[1] < self.size:
            return scores
        return scores.masked_fill(_completing(input_ids, input_ids, self.size, scores), -math.inf)


class EncoderNoRepeatNGramLogitsProcessor(LogitsProcessor):
    """No n-gram of the encoder's input is generated."""

    def __init__(self, encoder_ngram_size: int, encoder_input_ids: Tensor) -> None:
        if not isinstance(encoder_ngram_size, int) or encoder_ngram_size < 1:
            raise ValueError(f"encoder_no_repeat_ngram_size={encoder_ngram_size!r} must be a positive number")
        self.size = encoder_ngram_size
        self.encoder_input_ids = encoder_input_ids if encoder_input_ids.dim() > 1 else encoder_input_ids[None]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        source = self.encoder_input_ids
        if source.shape[1] < self.size or input_ids.shape[1] < self.size - 1:
            return scores
        source = source.repeat_interleave(input_ids.shape[0] // source.shape[0], dim=0)
        return scores.masked_fill(_completing(source, input_ids, self.size, scores), -math.inf)


class SequenceBiasLogitsProcessor(LogitsProcessor):
    """Adds a bias to a token when it would complete a sequence; a sequence of one token is always biased.

    Args:
        sequence_bias: {(3, 4): -5.0} or [[[3, 4], -5.0]].
    """

    def __init__(self, sequence_bias: Mapping[tuple[int, ...], float] | Sequence[Sequence[Any]]) -> None:
        pairs = sequence_bias.items() if isinstance(sequence_bias, Mapping) else sequence_bias
        self.by_length: dict[int, list[tuple[list[int], float]]] = {}
        try:
            for sequence, bias in pairs:
                if not sequence or min(sequence) < 0:
                    raise ValueError
                self.by_length.setdefault(len(sequence), []).append((list(sequence), float(bias)))
        except (TypeError, ValueError):
            raise GenerationError(
                f"sequence_bias={sequence_bias!r:.80} must be [[[token ids], bias], ...] or "
                "{(token ids): bias, ...} with sequences that are not empty"
            ) from None
        self._tables: list[tuple[Tensor, Tensor, Tensor]] | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if self._tables is None:
            self._tables = self._make_tables(scores)
        added = torch.zeros_like(scores)
        for prefixes, last, bias in self._tables:
            size = prefixes.shape[1]
            if size > input_ids.shape[1]:
                continue
            recent = input_ids[:, None, input_ids.shape[1] - size :]
            matches = (recent == prefixes).all(-1)
            added.index_add_(1, last, torch.where(matches, bias, 0.0))
        return scores + added

    def _make_tables(self, scores: Tensor) -> list[tuple[Tensor, Tensor, Tensor]]:
        """For each length of sequence: prefixes (n, length - 1), last tokens (n,), biases (n,)."""
        vocabulary, tables = scores.shape[-1], []
        for sequences in self.by_length.values():
            ids = torch.tensor([s for s, _ in sequences], device=scores.device)
            if int(ids.max()) >= vocabulary:
                raise GenerationError(
                    f"{self._what} names id {int(ids.max())}, beyond the {vocabulary} scores"
                )
            bias = torch.tensor([b for _, b in sequences], device=scores.device, dtype=scores.dtype)
            tables.append((ids[:, :-1], ids[:, -1], bias))
        return tables

    _what = "sequence_bias"


class NoBadWordsLogitsProcessor(SequenceBiasLogitsProcessor):
    """Sequences that are never generated; the end-of-sequence token alone cannot be banned this way."""

    _what = "bad_words_ids"

    def __init__(self, bad_words_ids: Sequence[Sequence[int]], eos_token_id: Any = None) -> None:
        ends = [] if eos_token_id is None else [[i] for i in token_ids(eos_token_id, "cpu").tolist()]
        kept = [list(words) for words in bad_words_ids if list(words) not in ends]
        super().__init__([[words, -math.inf] for words in kept])


class SuppressTokensLogitsProcessor(LogitsProcessor):
    """These tokens are never generated."""

    def __init__(self, suppress_tokens: Iterable[int] | Tensor, device: Any = "cpu") -> None:
        self.tokens = token_ids(suppress_tokens, device)
        self.known: Tensor | None = None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if self.tokens.device != scores.device:
            self.tokens = self.tokens.to(scores.device)
        if self.known is None:  # configs name tokens that a smaller vocabulary lacks
            self.known = self.tokens[self.tokens < scores.shape[1]]
        return scores.index_fill(1, self.known, -math.inf)


class SuppressTokensAtBeginLogitsProcessor(SuppressTokensLogitsProcessor):
    """These tokens are not the first that is generated, at position begin_index."""

    def __init__(
        self, begin_suppress_tokens: Iterable[int] | Tensor, begin_index: int, device: Any = "cpu"
    ) -> None:
        super().__init__(begin_suppress_tokens, device)
        self.begin_index = begin_index

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return super().__call__(input_ids, scores) if input_ids.shape[1] == self.begin_index else scores


class PrefixConstrainedLogitsProcessor(LogitsProcessor):
    """Only tokens that a function allows after the ids so far (https://arxiv.org/abs/2010.00904)."""

    def __init__(self, prefix_allowed_tokens_fn: Callable[[int, Tensor], list[int]], num_beams: int) -> None:
        self.allowed, self.num_beams = prefix_allowed_tokens_fn, num_beams

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        hidden = torch.full_like(scores, -math.inf)
        for row, ids in enumerate(input_ids):
            tokens = self.allowed(row // self.num_beams, ids)
            if len(tokens) == 0:
                raise GenerationError(
                    f"prefix_allowed_tokens_fn allows no token after {ids.tolist()}; at the end of what is "
                    "allowed return the end-of-sequence token"
                )
            last = int(torch.as_tensor(tokens).max())
            if last >= scores.shape[-1]:
                raise GenerationError(
                    f"prefix_allowed_tokens_fn allows id {last}, beyond the {scores.shape[-1]} scores"
                )
            hidden[row, tokens] = 0
        return scores + hidden
