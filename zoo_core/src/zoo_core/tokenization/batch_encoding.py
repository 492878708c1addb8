"""What a tokenizer returns: named lists or tensors, with the way back to words and characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from tokenizers import Encoding

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.tensors import converter, tensor_kind


class CharSpan(NamedTuple):
    """Characters ``start`` (included) to ``end`` (excluded) of the original text."""

    start: int
    end: int


class TokenSpan(NamedTuple):
    """Tokens ``start`` (included) to ``end`` (excluded) of one encoding."""

    start: int
    end: int


class BatchEncoding(dict[str, Any]):
    """A dict of ``input_ids``, ``attention_mask``, …; keys are attributes too.

    ``encoding["input_ids"]`` gives one entry, ``encoding[0]`` the Encoding of the first row and
    ``encoding[:2]`` a dict of the first two rows. The mapping methods (``word_ids``, ``char_to_token``, …)
    need the offsets that a tokenizer backed by the ``tokenizers`` library records; the others raise
    TokenizerError there.
    """

    _encodings: list[Encoding] | None
    _n_sequences: int | None

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        encoding: Encoding | Sequence[Encoding] | None = None,
        tensor_type: Any = None,
        prepend_batch_axis: bool = False,
        n_sequences: int | None = None,
    ) -> None:
        super().__init__(data or {})
        self._encodings = [encoding] if isinstance(encoding, Encoding) else list(encoding or ()) or None
        if n_sequences is None and self._encodings:
            n_sequences = self._encodings[0].n_sequences
        self._n_sequences = n_sequences
        self.convert_to_tensors(tensor_type, prepend_batch_axis)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, str):
            return super().__getitem__(item)
        if isinstance(item, slice):
            return {key: self[key][item] for key in self}
        return self._rows("An integer index")[item]

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getitem__(name)
        except KeyError:
            raise AttributeError(f"This encoding has no {name!r}; its keys are {list(self)}.") from None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self._encodings, None, False, self._n_sequences)

    def copy(self) -> Self:
        return type(self)(dict(self), self._encodings, n_sequences=self._n_sequences)

    @property
    def data(self) -> dict[str, Any]:
        """The entries as a plain dict."""
        return dict(self)

    @property
    def encodings(self) -> list[Encoding] | None:
        """One Encoding of the ``tokenizers`` library per row, where one backs the tokenizer."""
        return self._encodings

    @property
    def is_fast(self) -> bool:
        return self._encodings is not None

    @property
    def n_sequences(self) -> int | None:
        """1, or 2 for pairs; None when that is not known."""
        return self._n_sequences

    def _rows(self, what: str) -> list[Encoding]:
        if self._encodings is None:
            raise TokenizerError(
                f"{what} needs offsets, which a tokenizer written in Python does not record."
            )
        return self._encodings

    def _row(self, what: str, batch_index: int) -> Encoding:
        rows = self._rows(what)
        if not -len(rows) <= batch_index < len(rows):
            raise TokenizerError(f"{what}: row {batch_index} of a batch of {len(rows)}.")
        return rows[batch_index]

    def _address(self, what: str, batch_or_index: int, index: int | None) -> tuple[Encoding, int]:
        """``(row, position)`` from the two ways to call: ``(position)`` or ``(row, position)``."""
        row, position = (0, batch_or_index) if index is None else (batch_or_index, index)
        encoding = self._row(what, row)
        return encoding, position + len(encoding.ids) if position < 0 else position

    # From rows

    def tokens(self, batch_index: int = 0) -> list[str]:
        """The tokens of a row."""
        return list(self._row("tokens()", batch_index).tokens)

    def sequence_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token 0 or 1 (first or second text), None for special tokens."""
        return list(self._row("sequence_ids()", batch_index).sequence_ids)

    def word_ids(self, batch_index: int = 0) -> list[int | None]:
        """For each token the index of its word, None for special tokens."""
        return list(self._row("word_ids()", batch_index).word_ids)

    def words(self, batch_index: int = 0) -> list[int | None]:
        """An older name of ``word_ids``."""
        return self.word_ids(batch_index)

    # From positions. Each takes ``(position)`` for the first row or ``(row, position)``.

    def token_to_sequence(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """Which text a token comes from: 0, 1, or None for a special token."""
        encoding, token = self._address("token_to_sequence()", batch_or_token_index, token_index)
        return encoding.token_to_sequence(token)

    def token_to_word(self, batch_or_token_index: int, token_index: int | None = None) -> int | None:
        """The word that a token belongs to."""
        encoding, token = self._address("token_to_word()", batch_or_token_index, token_index)
        found = encoding.token_to_word(token)
        return found[1] if isinstance(found, tuple) else found

    def word_to_tokens(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> TokenSpan | None:
        """The tokens of a word; None when it gave none."""
        encoding, word = self._address("word_to_tokens()", batch_or_word_index, word_index)
        span = encoding.word_to_tokens(word, sequence_index)
        return None if span is None else TokenSpan(*span)

    def token_to_chars(self, batch_or_token_index: int, token_index: int | None = None) -> CharSpan | None:
        """The characters of a token; None for special tokens."""
        encoding, token = self._address("token_to_chars()", batch_or_token_index, token_index)
        found = encoding.token_to_chars(token)
        if found is None:
            return None
        return CharSpan(*(found[1] if isinstance(found[1], tuple) else found))

    def char_to_token(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """The token that covers a character; None for white space."""
        row, char = (0, batch_or_char_index) if char_index is None else (batch_or_char_index, char_index)
        return self._row("char_to_token()", row).char_to_token(char, sequence_index)

    def word_to_chars(
        self, batch_or_word_index: int, word_index: int | None = None, sequence_index: int = 0
    ) -> CharSpan:
        """The characters of a word."""
        encoding, word = self._address("word_to_chars()", batch_or_word_index, word_index)
        span = encoding.word_to_chars(word, sequence_index)
        if span is None:
            raise TokenizerError(f"word_to_chars(): there is no word {word} in text {sequence_index}.")
        return CharSpan(*span)

    def char_to_word(
        self, batch_or_char_index: int, char_index: int | None = None, sequence_index: int = 0
    ) -> int | None:
        """The word that covers a character; None for white space."""
        row, char = (0, batch_or_char_index) if char_index is None else (batch_or_char_index, char_index)
        return self._row("char_to_word()", row).char_to_word(char, sequence_index)

    # Tensors

    def convert_to_tensors(self, tensor_type: Any = None, prepend_batch_axis: bool = False) -> Self:
        """Turn every entry into a tensor, in place: ``"pt"`` or ``"np"``.

        Raises TokenizerError, naming the entry, when its rows differ in length.
        """
        kind = tensor_kind(tensor_type)
        if kind is None:
            return self
        convert = converter(kind)
        for key, value in self.items():
            try:
                self[key] = convert([value] if prepend_batch_axis else value)
            except (ValueError, TypeError, OverflowError, RuntimeError) as error:
                if key == "overflowing_tokens":
                    hint = "overflowing tokens differ in number per row: leave return_tensors out"
                else:
                    hint = "pass padding=True, and truncation=True with max_length where texts are long"
                raise TokenizerError(f"No tensor can be made of {key!r}, its rows differ: {hint}.") from error
        return self

    def to(self, device: Any, *, non_blocking: bool = False) -> Self:
        """Move every torch tensor to ``device``, in place; other entries stay."""
        for key, value in self.items():
            if hasattr(value, "to") and callable(value.to):
                self[key] = value.to(device=device, non_blocking=non_blocking)
        return self
