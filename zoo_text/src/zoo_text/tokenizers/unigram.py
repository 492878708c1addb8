"""Unigram sentencepiece models: T5, ALBERT, XLNet, DeBERTa-v2, Pegasus and others (Kudo, 2018)."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tokenizers import AddedToken, Regex, normalizers, pre_tokenizers

from zoo_core.tokenization.families import FairseqTokenizer, SentencePieceTokenizer
from zoo_core.tokenization.pieces import PieceTokenizer, join_around
from zoo_core.tokenization.pipelines import SPACE, charsmap, metaspace
from zoo_core.tokenization.sentencepiece_model import SentencePieceModel
from zoo_core.tokenization.templates import Template

_BERT_TEMPLATE: Template = ("cls $A sep", "cls $A sep $B:1 sep:1")
_MASK = AddedToken("[MASK]", lstrip=True, normalized=False, special=True)


class XLMRobertaTokenizer(FairseqTokenizer):
    """XLM-RoBERTa."""


class CamembertTokenizer(FairseqTokenizer):
    """CamemBERT: five places in front of the pieces, three of them never used."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        **FairseqTokenizer.special_tokens,
        "additional_special_tokens": ("<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"),
    }

    def _pieces(self, model: SentencePieceModel) -> list[tuple[str, float]]:
        first = ("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>")
        return [*((p, 0.0) for p in first), ("<unk>NOTUSED", -100.0), *model.pieces[1:], ("<mask>", 0.0)]


class BarthezTokenizer(FairseqTokenizer):
    """BARThez: the pieces in the model's own order."""

    def _pieces(self, model: SentencePieceModel) -> list[tuple[str, float]]:
        return model.pieces


class XGLMTokenizer(FairseqTokenizer):
    """XGLM: ``</s>`` in front, seven unused places at the end."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        **{role: token for role, token in FairseqTokenizer.special_tokens.items() if role != "mask_token"},
        "additional_special_tokens": tuple(f"<madeupword{index}>" for index in range(7)),
    }
    template = ("sep $A", "sep $A sep sep $B")

    def _extra_pieces(self) -> Sequence[str]:
        return tuple(self.special_tokens["additional_special_tokens"])


class T5Tokenizer(SentencePieceTokenizer):
    """T5: ``</s>`` at the end, ``<extra_id_0>`` and so on for spans left out (Raffel et al., 2020).

    extra_ids: how many of those; the ids of the last pieces, counted downwards.
    """

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
    }
    settings: ClassVar[Mapping[str, Any]] = {"extra_ids": 100, "add_prefix_space": None}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    template = ("$A eos", "$A eos $B eos")

    extra_ids: int

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        count = kwargs.get("extra_ids", 100)
        if kwargs.get("additional_special_tokens") is None and count:
            kwargs["additional_special_tokens"] = [f"<extra_id_{index}>" for index in range(count)]
        super().__init__(*vocab_files, **kwargs)

    def _pieces(self, model: SentencePieceModel) -> list[tuple[str, float]]:
        extra = [(f"<extra_id_{index}>", 0.0) for index in reversed(range(self.extra_ids))]
        return [*model.pieces, *extra]

    def get_sentinel_tokens(self) -> list[str]:
        """The tokens that stand for spans left out."""
        return [token for token in self.additional_special_tokens if token.startswith("<extra_id_")]

    def get_sentinel_token_ids(self) -> list[int]:
        """Their ids."""
        return [self.convert_tokens_to_ids(token) for token in self.get_sentinel_tokens()]


class MT5Tokenizer(T5Tokenizer):
    """mT5: T5's, over more languages."""


class PegasusTokenizer(SentencePieceTokenizer):
    """Pegasus: the model's ids shifted by ``offset``, masks and unused places first (Zhang et al., 2020)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "mask_token": "<mask_2>",
    }
    settings: ClassVar[Mapping[str, Any]] = {"mask_token_sent": "<mask_1>", "offset": 103}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    template = ("$A eos", "$A $B eos")

    mask_token_sent: str | None
    offset: int

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        if kwargs.get("additional_special_tokens") is None:
            sentence = kwargs.get("mask_token_sent", "<mask_1>")
            first = [] if sentence is None else [sentence]
            unused = [f"<unk_{index}>" for index in range(2, kwargs.get("offset", 103))]
            kwargs["additional_special_tokens"] = [*first, *unused]
        super().__init__(*vocab_files, **kwargs)

    def _pieces(self, model: SentencePieceModel) -> list[tuple[str, float]]:
        first = [(self.pad_token or "<pad>", 0.0), (self.eos_token or "</s>", 0.0)]
        if self.mask_token_sent is not None:
            first.append((self.mask_token_sent, 0.0))
        if self.mask_token is not None:
            first.append((self.mask_token, 0.0))
        first += [(f"<unk_{index}>", -100.0) for index in range(2, self.offset)]
        return [*first, *model.pieces[2:]]

    def _pre_tokenizer(self) -> Any:
        return pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace(self.scheme)[0]])


class AlbertTokenizer(SentencePieceTokenizer):
    """ALBERT: quotes made alike, accents and case removed, then sentencepiece (Lan et al., 2020)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        "unk_token": "<unk>",
        "sep_token": "[SEP]",
        "pad_token": "<pad>",
        "cls_token": "[CLS]",
        "mask_token": _MASK,
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "do_lower_case": True,
        "remove_space": True,
        "keep_accents": False,
    }
    template: ClassVar[Template | None] = _BERT_TEMPLATE

    do_lower_case: bool
    keep_accents: bool

    def _normalizer(self, model: SentencePieceModel) -> Any:
        steps: list[Any] = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
        if not self.keep_accents:
            steps += [normalizers.NFKD(), normalizers.StripAccents()]
        if self.do_lower_case:
            steps.append(normalizers.Lowercase())
        return normalizers.Sequence([*steps, *charsmap(model), normalizers.Replace(Regex(" {2,}"), " ")])


class FNetTokenizer(AlbertTokenizer):
    """FNet: ALBERT's with case and accents."""

    settings: ClassVar[Mapping[str, Any]] = {"do_lower_case": False, "keep_accents": True}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        role: token
        for role, token in AlbertTokenizer.special_tokens.items()
        if role[:3] not in ("bos", "eos")
    }
    model_input_names: Sequence[str] = ("input_ids", "token_type_ids")


class RemBertTokenizer(AlbertTokenizer):
    """RemBERT: ALBERT's with case and accents, blanks joined before the model's own table."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "sentencepiece.model",
        "tokenizer_file": "tokenizer.json",
    }
    settings: ClassVar[Mapping[str, Any]] = {"do_lower_case": False, "keep_accents": True}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        **AlbertTokenizer.special_tokens,
        "unk_token": "[UNK]",
        "pad_token": "[PAD]",
        "mask_token": AddedToken("[MASK]", lstrip=True, normalized=True, special=True),
    }

    def _normalizer(self, model: SentencePieceModel) -> Any:
        steps: list[Any] = [
            normalizers.Replace("``", '"'),
            normalizers.Replace("''", '"'),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
        if not self.keep_accents:
            steps += [normalizers.NFKD(), normalizers.StripAccents()]
        if self.do_lower_case:
            steps.append(normalizers.Lowercase())
        return normalizers.Sequence([*steps, *charsmap(model)])


class XLNetTokenizer(AlbertTokenizer):
    """XLNet: ALBERT's with case, the special tokens at the end, padded on the left (Yang et al., 2019)."""

    settings: ClassVar[Mapping[str, Any]] = {"do_lower_case": False}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "<sep>",
        "pad_token": "<pad>",
        "cls_token": "<cls>",
        "mask_token": AddedToken("<mask>", lstrip=True, normalized=False, special=True),
        "additional_special_tokens": ("<eop>", "<eod>"),
    }
    padding_side = "left"
    pad_token_type_id = 3
    template = ("$A sep cls:2", "$A sep $B:1 sep:1 cls:2")


class BigBirdTokenizer(SentencePieceTokenizer):
    """BigBird."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "sep_token": "[SEP]",
        "mask_token": AddedToken("[MASK]", lstrip=True, normalized=True, special=True),
        "cls_token": "[CLS]",
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    template = _BERT_TEMPLATE


class ReformerTokenizer(SentencePieceTokenizer):
    """Reformer: nothing around the texts."""

    special_tokens: ClassVar[Mapping[str, Any]] = {"eos_token": "</s>", "unk_token": "<unk>"}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")


class DebertaV2Tokenizer(SentencePieceTokenizer):
    """DeBERTa-v2 and v3 (He et al., 2021). split_by_punct: set punctuation apart first."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "spm.model",
        "tokenizer_file": "tokenizer.json",
    }
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        "unk_token": AddedToken("[UNK]", normalized=True, special=True),
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }
    settings: ClassVar[Mapping[str, Any]] = {"do_lower_case": False, "split_by_punct": False}
    template = _BERT_TEMPLATE

    do_lower_case: bool
    split_by_punct: bool

    def _normalizer(self, model: SentencePieceModel) -> Any:
        steps: list[Any] = [normalizers.Lowercase()] if self.do_lower_case else []
        return normalizers.Sequence(
            [*steps, normalizers.Strip(), *charsmap(model), normalizers.Replace(Regex(" {2,}"), " ")]
        )

    def _pre_tokenizer(self) -> Any:
        punctuation = [pre_tokenizers.Punctuation("isolated")] if self.split_by_punct else []
        return pre_tokenizers.Sequence(
            [*punctuation, pre_tokenizers.Metaspace(SPACE, prepend_scheme=self.scheme)]  # type: ignore[arg-type]
        )


class CpmTokenizer(XLNetTokenizer):
    """CPM: XLNet's; blanks and line ends are pieces of their own, so that decoded text has no others."""

    padding_side = "right"
    match_control = False

    def _normalizer(self, model: SentencePieceModel) -> Any:
        lower = [normalizers.Lowercase()] if self.do_lower_case else []
        return normalizers.Sequence(
            [
                normalizers.Replace(Regex(r"\s+"), " "),
                normalizers.Strip(),
                normalizers.Replace("``", '"'),
                normalizers.Replace("''", '"'),
                normalizers.NFKD(),
                normalizers.Replace(Regex(_combining()), ""),
                normalizers.NFC(),
                *lower,
                *charsmap(model),
            ]
        )

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        text = super()._decode(ids, skip_special_tokens=skip_special_tokens, **kwargs)
        return text.replace(" ", "").replace("\u2582", " ").replace("\u2583", "\n")


def _combining() -> str:
    """A pattern for the marks that combine with the letter before them, which excludes vowel signs."""
    codes = [code for code in range(0x110000) if unicodedata.combining(chr(code))]
    return "[" + "".join(f"\\x{{{code:x}}}" for code in codes) + "]"


class BertGenerationTokenizer(SentencePieceTokenizer):
    """BertGeneration: nothing around the texts."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "sep_token": "<::::>",
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    match_control = False
    blank_before_special = False


class GPTSw3Tokenizer(PieceTokenizer):
    """GPT-SW3: NFC, blanks of every kind made one, signs that do not print removed (Ekgren et al., 2022)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "<|endoftext|>",
        "pad_token": "<pad>",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "do_lower_case": False,
        "remove_space": False,
        "keep_accents": False,
    }

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        text = _UNPRINTABLE.sub("", text)
        text = "".join(" " if char in _BLANKS else char for char in text)
        return super()._tokenize(unicodedata.normalize("NFC", text), **kwargs)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return join_around(tokens, set(self.all_special_tokens), blank_before=True)


_BLANKS = frozenset(
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\u00a0"
)
_UNPRINTABLE = re.compile(
    "[" + "".join(map(chr, [*range(9), *range(11, 32), *range(127, 160), 160, 173, 8203])) + "]"
)


class SiglipTokenizer(PieceTokenizer):
    """SigLIP: no punctuation, lower case, then T5's sentencepiece (Zhai et al., 2023).

    Only the start of a text is taken as the start of a word; a run after a special token is not.
    """

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "</s>",
    }
    settings: ClassVar[Mapping[str, Any]] = {"do_lower_case": True}
    template = ("$A eos", "$A eos $B eos")
    model_max_length = 64
    scheme = "never"
    blank_before_special = True

    do_lower_case: bool

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        text = text.lower() if self.do_lower_case else text
        return SPACE + text, kwargs

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        text = " ".join(text.translate(_NO_PUNCTUATION).split())
        return super()._tokenize(text) if text.strip(SPACE) else []


_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
