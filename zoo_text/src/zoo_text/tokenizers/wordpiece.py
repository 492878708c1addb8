"""WordPiece: BERT's tokenizer and those that share its vocabulary file (Devlin et al., 2018)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers

from zoo_core.errors import MissingDependency
from zoo_core.tokenization import BatchEncoding, PreTrainedTokenizerFast
from zoo_core.tokenization.pipelines import read_word_list, wordpiece
from zoo_core.tokenization.templates import Template

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
    tidy: ClassVar[bool] = True
    """Whether decoding tidies blanks where the vocabulary file alone is there to say."""

    do_lower_case: bool
    strip_accents: bool | None
    tokenize_chinese_chars: bool

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        self.clean_up_tokenization_spaces = self.init_kwargs.get("clean_up_tokenization_spaces", self.tidy)
        return self._wordpiece(read_word_list(files["vocab_file"]))

    def _wordpiece(self, vocab: Mapping[str, int]) -> Tokenizer:
        return wordpiece(
            vocab,
            unk_token=self.unk_token or "[UNK]",
            lowercase=self.do_lower_case,
            strip_accents=self.strip_accents,
            chinese_chars=self.tokenize_chinese_chars,
        )

    def _settle_special_tokens(
        self, added_tokens_decoder: Mapping[Any, Any], explicit: frozenset[str] | None
    ) -> None:
        super()._settle_special_tokens(added_tokens_decoder, explicit)
        model = self._backend.tokenizer.model
        if explicit is None and self.unk_token and model.token_to_id(self.unk_token) is None:
            # WordPiece looks for its unknown token in its own vocabulary, not among the added ones.
            model_vocab = self._backend.tokenizer.get_vocab(with_added_tokens=True)
            self._backend.tokenizer.model = self._wordpiece(model_vocab).model
            self._backend.changed()

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

    tidy = False

    def batch_encode_candidates(self, text: Any, **kwargs: Any) -> BatchEncoding:
        """Candidates per example, all padded to one length: (examples, candidates, tokens)."""
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

    tidy = False


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
        "additional_special_tokens": ("[QUESTION]",),
    }
    settings: ClassVar[Mapping[str, Any]] = {"question_token": "[QUESTION]"}
    tidy = False

    question_token: str

    def _settle_special_tokens(
        self, added_tokens_decoder: Mapping[Any, Any], explicit: frozenset[str] | None
    ) -> None:
        # The question ends in the vocabulary's own token, or in the unknown one where it has none.
        found = self._backend.tokenizer.token_to_id(str(self.question_token))
        self._question = str(self.unk_token if found is None else self.question_token)
        super()._settle_special_tokens(added_tokens_decoder, explicit)

    def _current_template(self) -> Template:
        return "cls $A sep", f'cls $A "{self._question}" "." sep $B:1 sep:1'


class RoFormerTokenizer(BertTokenizer):
    """RoFormer: Chinese words of its own vocabulary, other signs beyond ASCII apart (Su et al., 2021).

    A vocabulary with Chinese words of several signs needs the word splitter rjieba, the only one that gives
    the ids that the models were trained with. tokenizer.json cannot express the split and holds BERT's.
    """

    tidy = False

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        super().__init__(*vocab_files, **kwargs)
        if any(_CHINESE_WORD.search(token) for token in self.get_vocab()):
            self._backend.tokenizer.pre_tokenizer = _chinese_splitter(self.get_vocab())
        else:
            words = Regex(r"[a-zA-Z0-9]+|\S")
            self._backend.tokenizer.pre_tokenizer = pre_tokenizers.Split(words, "removed", invert=True)
        self._backend.changed()

    def _write_backend(self, folder: Path, prefix: str) -> list[Path]:
        copy = self._backend.copy()
        copy.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        path = folder / f"{prefix}tokenizer.json"
        path.write_text(str(copy.to_str(pretty=True)), encoding="utf-8")
        return [path]


_CHINESE_WORD = re.compile("[\u4e00-\u9fd5]{2}")


def _chinese_splitter(vocab: Mapping[str, int]) -> Any:
    try:
        import rjieba
    except ImportError as error:
        raise MissingDependency(
            "This vocabulary holds Chinese words, which only rjieba splits as the model expects: "
            "pip install rjieba"
        ) from error
    return pre_tokenizers.PreTokenizer.custom(_ChineseSplitter(rjieba, vocab))


class _ChineseSplitter:
    """Words as rjieba cuts them; what the vocabulary lacks is cut again at blanks and Chinese signs."""

    def __init__(self, splitter: Any, vocab: Mapping[str, int]) -> None:
        self.splitter, self.vocab = splitter, vocab

    def _cut(self, index: int, text: Any) -> list[Any]:
        pieces: list[Any] = []
        for token, start, end in self.splitter.tokenize(str(text), hmm=False):
            if token in self.vocab:
                pieces.append(text[start:end])
                continue
            for match in re.finditer("[\u4e00-\u9fff]|[^\\s\u4e00-\u9fff]+", token):
                pieces.append(text[start + match.start() : start + match.end()])
        return pieces

    def pre_tokenize(self, pretok: Any) -> None:
        pretok.split(self._cut)
