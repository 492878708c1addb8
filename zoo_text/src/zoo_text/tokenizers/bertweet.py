"""BERTweet: PhoBERT's BPE over tweets, whose names and links may be made alike (Nguyen et al., 2020)."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from zoo_core.errors import MissingDependency
from zoo_text.tokenizers.small import PhobertTokenizer

#: what stands apart once a tweet is cut into words, and how BERTweet's training data spell it
_SPELLINGS = (
    ("cannot ", "can not "),
    ("n't ", " n't "),
    ("n 't ", " n't "),
    ("ca n't", "can't"),
    ("ai n't", "ain't"),
    ("'m ", " 'm "),
    ("'re ", " 're "),
    ("'s ", " 's "),
    ("'ll ", " 'll "),
    ("'d ", " 'd "),
    ("'ve ", " 've "),
    (" p . m .", "  p.m."),
    (" p . m ", " p.m "),
    (" a . m .", " a.m."),
    (" a . m ", " a.m "),
)
_JOINED = re.compile("[^\x00-\x7f]*[\u200d\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff][^\x00-\x7f]*")


class BertweetTokenizer(PhobertTokenizer):
    """BERTweet.

    normalization: write ``@USER`` for names, ``HTTPURL`` for links, and emoji in words. It needs the package
    nltk, and for emoji the package emoji.
    """

    settings: ClassVar[Mapping[str, Any]] = {"normalization": False}

    normalization: bool

    def _words(self, text: str) -> list[str]:
        return super()._words(self.normalizeTweet(text) if self.normalization else text)

    def normalizeTweet(self, tweet: str) -> str:
        """A tweet as its words between blanks, spelt as in BERTweet's training data."""
        text = tweet.replace("\u2019", "'").replace("\u2026", "...")
        demojize = _demojize()
        text = " ".join(_normal(word, demojize) for word in _tweet_words(text))
        for found, written in _SPELLINGS:
            text = text.replace(found, written)
        return " ".join(text.split())

    def normalizeToken(self, token: str) -> str:
        """A word of a tweet: names and links alike, emoji in words."""
        return _normal(token, _demojize())


def _normal(word: str, demojize: Callable[[str], str] | None) -> str:
    lowered = word.lower()
    if word.startswith("@"):
        return "@USER"
    if lowered.startswith(("http", "www")):
        return "HTTPURL"
    if len(word) == 1 and demojize is not None:
        return demojize(word)
    return {"\u2019": "'", "\u2026": "..."}.get(word, word)


def _demojize() -> Callable[[str], str] | None:
    """Writes an emoji in words, if the package emoji is there."""
    try:
        return importlib.import_module("emoji").demojize
    except ImportError:
        warnings.warn(
            "emoji stay as they are: writing them in words needs: pip install 'zoo-text[tweets]'",
            stacklevel=4,
        )
        return None


def _tweet_words(text: str) -> list[str]:
    """The words of a tweet; emoji of several signs are as many words."""
    try:
        tokenizer = importlib.import_module("nltk.tokenize").TweetTokenizer()
    except ImportError:
        raise MissingDependency(
            "normalization=True cuts tweets into words with nltk: pip install 'zoo-text[tweets]'"
        ) from None
    words: list[str] = []
    for word in tokenizer.tokenize(text):
        words += word if _JOINED.fullmatch(word) else [word]
    return words
