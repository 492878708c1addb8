"""BERTweet's spelling of tweets, and what it needs; MyT5's rules over bytes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from zoo_core.errors import MissingDependency, TokenizerError
from zoo_text.tokenizers.bertweet import BertweetTokenizer
from zoo_text.tokenizers.myt5 import ByteRewriter, MyT5Tokenizer

VOCABULARIES = Path(__file__).parents[1] / "parity/tokenizers/vocabularies"
FILES = str(VOCABULARIES / "fairseq.txt"), str(VOCABULARIES / "fairseq_codes.txt")


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins that cut at blanks, and know one emoji."""
    cutter = SimpleNamespace(tokenize=lambda text: text.split())
    monkeypatch.setitem(sys.modules, "nltk.tokenize", SimpleNamespace(TweetTokenizer=lambda: cutter))
    emoji = SimpleNamespace(demojize=lambda sign: {"\U0001f680": ":rocket:"}.get(sign, sign))
    monkeypatch.setitem(sys.modules, "emoji", emoji)


@pytest.mark.parametrize(
    ("tweet", "spelt"),
    [
        ("@bob https://t.co/x \U0001f680 \u2026", "@USER HTTPURL :rocket: ..."),
        ("I\u2019m here , we're", "I 'm here , we're"),
        ("don't can't cannot x", "do n't can't can not x"),
        ("at 5 p . m . x", "at 5 p.m. x"),
        ("\U0001f1fa\U0001f1f8 ok", "\U0001f1fa \U0001f1f8 ok"),
    ],
)
def test_tweets_are_spelt_alike(packages: None, tweet: str, spelt: str) -> None:
    tokenizer = BertweetTokenizer(*FILES, normalization=True)
    assert tokenizer.normalizeTweet(tweet) == spelt
    assert tokenizer.tokenize(tweet) == BertweetTokenizer(*FILES).tokenize(spelt)


def test_cutting_tweets_needs_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nltk.tokenize", None)
    monkeypatch.setitem(sys.modules, "emoji", None)
    tokenizer = BertweetTokenizer(*FILES, normalization=True)
    with pytest.warns(UserWarning, match="emoji"), pytest.raises(MissingDependency, match="pip install"):
        tokenizer("a tweet")


def test_the_longest_run_is_replaced() -> None:
    rewriter = ByteRewriter({"61 62": "c5", "61 62 63": "c6 c7", "62 63 64": "c8"})
    assert rewriter.rewrite_bytes(["61", "62", "63", "64"]) == ["c6", "c7", "64"]
    assert rewriter.rewrite_bytes(["61", "62", "64", "62", "63", "64"]) == ["c5", "64", "c8"]
    assert rewriter.rewrite_bytes(["c6", "c7", "c5"], reverse=True) == ["61", "62", "63", "61", "62"]


@pytest.mark.parametrize("maps", [{}, {"decompose_map": {}, "merge_map": {"zz": "61"}}, []])
def test_bad_rules(maps: Any, tmp_path: Path) -> None:
    (tmp_path / "byte_maps.json").write_text(json.dumps(maps))
    with pytest.raises(TokenizerError, match=r"byte_maps\.json"):
        MyT5Tokenizer(str(tmp_path / "byte_maps.json"))


def test_a_text_that_ends_so_already_gets_no_second_end() -> None:
    tokenizer = MyT5Tokenizer(str(VOCABULARIES / "byte_maps.json"))
    assert tokenizer("a</s>", "b")["input_ids"] == [100, 1, 101, 1]
