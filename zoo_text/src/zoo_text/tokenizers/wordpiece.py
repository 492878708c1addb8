"""WordPiece: BERT's tokenizer and those that share its vocabulary file (Devlin et al., 2018)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Tokenizer, normalizers

from zoo_core.tokenization import BatchEncoding, PreTrainedTokenizerFast
from zoo_core.tokenization.pipelines import read_word_list, wordpiece

_NORMALIZER_FIELDS = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}


class BertTokenizer(PreTrainedTokenizerFast):
    """WordPiece from ``vocab.txt``: one token per line, word-internal pieces with ``##``.

    do_lower_case: lower-case the text. strip_accents: None follows ``do_lower_case``.
    tokenize_chinese_chars: set Chinese characters apart.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "vocab.txt",
        "tokenizer_file": "tokenizer.json",
    }
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "do_lower_case": True,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
    }
    template = ("cls $A sep", "cls $A sep $B:1 sep:1")

    do_lower_case: bool
    strip_accents: bool | None
    tokenize_chinese_chars: bool

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        return wordpiece(
            read_word_list(files["vocab_file"]),
            unk_token=self.unk_token or "[UNK]",
            lowercase=self.do_lower_case,
            strip_accents=self.strip_accents,
            chinese_chars=self.tokenize_chinese_chars,
        )

    def _apply_settings(self, explicit: Mapping[str, Any]) -> None:
        """The normaliser of a tokenizer.json, where it is BERT's and an explicit setting differs."""
        tokenizer = self._backend.tokenizer
        if not isinstance(tokenizer.normalizer, normalizers.BertNormalizer):
            return
        state = json.loads(tokenizer.normalizer.__getstate__())
        wanted = {field: explicit[name] for name, field in _NORMALIZER_FIELDS.items() if name in explicit}
        if any(state[field] != value for field, value in wanted.items()):
            state |= wanted
            state.pop("type", None)
            tokenizer.normalizer = normalizers.BertNormalizer(**state)
            self._backend.changed()


class ConvBertTokenizer(BertTokenizer):
    """ConvBERT."""


class DPRContextEncoderTokenizer(BertTokenizer):
    """DPR, passages."""


class DPRQuestionEncoderTokenizer(BertTokenizer):
    """DPR, questions."""


class ElectraTokenizer(BertTokenizer):
    """ELECTRA."""


class LayoutLMTokenizer(BertTokenizer):
    """LayoutLM."""


class LxmertTokenizer(BertTokenizer):
    """LXMERT."""


class MobileBertTokenizer(BertTokenizer):
    """MobileBERT."""


class RealmTokenizer(BertTokenizer):
    """REALM."""

    def batch_encode_candidates(self, text: Any, **kwargs: Any) -> BatchEncoding:
        """Several candidates per example, all padded to one length: ids of shape (examples, candidates, tokens)."""
        kwargs["padding"] = "max_length"
        pairs = kwargs.pop("text_pair", None)
        tensors = kwargs.pop("return_tensors", None)
        rows = [
            self(list(candidates), None if pairs is None else list(pairs[index]), **kwargs)
            for index, candidates in enumerate(text)
        ]
        return BatchEncoding({key: [row[key] for row in rows] for key in rows[0]}, tensor_type=tensors)


class SqueezeBertTokenizer(BertTokenizer):
    """SqueezeBERT."""


class DistilBertTokenizer(BertTokenizer):
    """DistilBERT: no token types."""

    model_input_names = ("input_ids", "attention_mask")


class RetriBertTokenizer(DistilBertTokenizer):
    """RetriBERT."""


class FunnelTokenizer(BertTokenizer):
    """Funnel: ``<cls>`` has the token type 2 (Dai et al., 2020)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "sep_token": "<sep>",
        "pad_token": "<pad>",
        "cls_token": "<cls>",
        "mask_token": "<mask>",
        "bos_token": "<s>",
        "eos_token": "</s>",
    }
    template = ("cls:2 $A sep", "cls:2 $A sep $B:1 sep:1")


class MPNetTokenizer(BertTokenizer):
    """MPNet: BERT's words between RoBERTa's special tokens (Song et al., 2020)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "cls_token": "<s>",
        "unk_token": "[UNK]",
        "pad_token": "<pad>",
        "mask_token": AddedToken("<mask>", lstrip=True, normalized=False, special=True),
    }
    model_input_names = ("input_ids", "attention_mask")
    template = ("cls $A sep", "cls $A sep sep $B:1 sep:1")


class SplinterTokenizer(BertTokenizer):
    """Splinter: the question ends in ``[QUESTION] .`` (Ram et al., 2021)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        **BertTokenizer.special_tokens,
        "question_token": "[QUESTION]",
    }
    template = ("cls $A sep", 'cls $A question "." sep $B:1 sep:1')

    @property
    def question_token_id(self) -> int | None:
        """The id of the token that ends a question."""
        found: int | None = self.convert_tokens_to_ids(self.question_token)
        return found


class RoFormerTokenizer(BertTokenizer):
    """RoFormer: Chinese words from its own vocabulary, every other sign beyond ASCII apart (Su et al., 2021)."""
