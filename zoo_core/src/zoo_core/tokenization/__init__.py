"""Tokenizers: the base classes, what they return, and chat templates."""

from __future__ import annotations

from tokenizers import AddedToken

from zoo_core.tokenization.base import PreTrainedTokenizerBase
from zoo_core.tokenization.batch_encoding import BatchEncoding, CharSpan, TokenSpan
from zoo_core.tokenization.fast import PreTrainedTokenizerFast
from zoo_core.tokenization.loading import load_tokenizer, tokenizer_config
from zoo_core.tokenization.python import PreTrainedTokenizer

__all__ = [
    "AddedToken",
    "BatchEncoding",
    "CharSpan",
    "PreTrainedTokenizer",
    "PreTrainedTokenizerBase",
    "PreTrainedTokenizerFast",
    "TokenSpan",
    "load_tokenizer",
    "tokenizer_config",
]
