"""Byte-pair encoding within words in Python (Sennrich et al., 2016), for vocabularies that spell the tokens
of their merges otherwise, which the ``tokenizers`` library does not take."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.pipelines import read_merges, read_vocab
from zoo_core.tokenization.python import VocabularyTokenizer
from zoo_core.tokenization.saving import copy_files

END_OF_WORD = "</w>"


class WordBpe:
    """Merges in the order of their rank. ``cached`` words make repeated text cheap."""

    def __init__(self, merges: Sequence[tuple[str, str]], *, cached: int = 1 << 16) -> None:
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._cached = cached
        self.split = functools.lru_cache(cached)(self._split)

    def __reduce__(self) -> tuple[type[WordBpe], tuple[list[tuple[str, str]]]]:
        return type(self), (sorted(self._ranks, key=self._ranks.__getitem__),)

    def _split(self, symbols: tuple[str, ...]) -> tuple[str, ...]:
        """Merge neighbours, the lowest rank first, until none is left to merge."""
        parts = list(symbols)
        while len(parts) > 1:
            ranks = [self._ranks.get(pair, -1) for pair in pairwise(parts)]
            best = min((rank for rank in ranks if rank >= 0), default=-1)
            if best < 0:
                break
            merged: list[str] = []
            position = 0
            while position < len(parts):
                if position < len(ranks) and ranks[position] == best:
                    merged.append(parts[position] + parts[position + 1])
                    position += 2
                else:
                    merged.append(parts[position])
                    position += 1
            parts = merged
        return tuple(parts)


class WordBpeTokenizer(VocabularyTokenizer):
    """Words from ``_words``, each cut by BPE; a word's last piece ends in ``</w>``."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "vocab.json",
        "merges_file": "merges.txt",
    }

    def __init__(
        self, vocab_file: str | Path | None = None, merges_file: str | Path | None = None, **kwargs: Any
    ) -> None:
        if vocab_file is None or merges_file is None:
            raise TokenizerError(
                f"{type(self).__name__} needs {' and '.join(self.vocab_files_names.values())}."
            )
        self._files = {"vocab_file": Path(vocab_file), "merges_file": Path(merges_file)}
        self._bpe = WordBpe(self._read_merges(Path(merges_file)))
        super().__init__(self._read_vocab(Path(vocab_file)), **kwargs)

    @classmethod
    def _read_vocab(cls, path: Path) -> dict[str, int]:
        return read_vocab(path)

    @staticmethod
    def _read_merges(path: Path) -> list[tuple[str, str]]:
        return read_merges(path)

    def _words(self, text: str) -> list[str]:
        """The words of a text."""
        return text.split()

    def _pieces(self, word: str) -> tuple[str, ...]:
        """A word's pieces, as the vocabulary spells them."""
        return self._bpe.split((*word[:-1], word[-1] + END_OF_WORD))

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return [piece for word in self._words(text) if word for piece in self._pieces(word)]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens).replace(END_OF_WORD, " ").strip()

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        named = {prefix + self.vocab_files_names[name]: path for name, path in self._files.items()}
        return copy_files(named, Path(save_directory))


class MarkedBpeTokenizer(WordBpeTokenizer):
    """BPE whose unfinished pieces end in ``@@``, and whose last ones have no mark."""

    def _pieces(self, word: str) -> tuple[str, ...]:
        *inner, last = super()._pieces(word)
        return (*(f"{piece}@@" for piece in inner), last.removesuffix(END_OF_WORD))

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return " ".join(tokens).replace("@@ ", "").strip()
