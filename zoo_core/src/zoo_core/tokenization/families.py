"""Bases of the large families; the classes that JSON files name declare their data over these."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Tokenizer, pre_tokenizers, processors

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.batch_encoding import BatchEncoding
from zoo_core.tokenization.fast import PreTrainedTokenizerFast
from zoo_core.tokenization.options import CallOptions
from zoo_core.tokenization.pieces import join_around
from zoo_core.tokenization.pipelines import (
    add_control_pieces,
    byte_level,
    metaspace as metaspace_pair,
    read_merges,
    read_vocab,
    sentencepiece_bpe,
    sentencepiece_normalizer,
    unigram,
)
from zoo_core.tokenization.sentencepiece_model import (
    BPE,
    SentencePieceModel,
    read_sentencepiece,
)
from zoo_core.tokenization.templates import Template


class ByteLevelTokenizer(PreTrainedTokenizerFast):
    """Byte-level BPE from ``vocab.json`` and ``merges.txt`` (Radford et al., 2019).

    add_prefix_space: treat a text's first word like those after a blank.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "vocab.json",
        "merges_file": "merges.txt",
        "tokenizer_file": "tokenizer.json",
    }
    settings: ClassVar[Mapping[str, Any]] = {"add_prefix_space": False, "errors": "replace"}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    split: ClassVar[str | None] = None
    words_need_prefix: ClassVar[bool] = True
    """Whether words given split lose the blanks between them unless ``add_prefix_space`` restores them."""

    add_prefix_space: bool

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        return byte_level(
            read_vocab(files["vocab_file"]),
            read_merges(files["merges_file"]),
            add_prefix_space=bool(self.add_prefix_space),
            split=self.split,
            normalizer=self._normalizer(),
        )

    def _normalizer(self) -> Any:
        return None

    def _encode_batch(
        self, inputs: list[Any], options: CallOptions, *, single: bool, **kwargs: Any
    ) -> BatchEncoding:
        if options.is_split_into_words and self.words_need_prefix and not self.add_prefix_space:
            raise TokenizerError(
                f"{type(self).__name__} would join the words of is_split_into_words=True: load it with "
                "add_prefix_space=True."
            )
        return super()._encode_batch(inputs, options, single=single, **kwargs)

    def _end(self, role: str) -> tuple[str, int]:
        """A token that stands at an end of the text, with its id."""
        token, index = getattr(self, role), getattr(self, f"{role}_id")
        if token is None or index is None:
            raise TokenizerError(f"{type(self).__name__} puts its {role} around texts, and there is none.")
        return token, index

    def _apply_settings(self, explicit: Mapping[str, Any]) -> None:
        wanted = explicit.get("add_prefix_space")
        tokenizer = self._backend.tokenizer
        if wanted is None or not isinstance(tokenizer.pre_tokenizer, pre_tokenizers.ByteLevel):
            return
        state = json.loads(tokenizer.pre_tokenizer.__getstate__())
        if state["add_prefix_space"] != wanted:
            state["add_prefix_space"] = bool(wanted)
            state.pop("type", None)
            tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(**state)
            self._backend.changed()


class RobertaLikeTokenizer(ByteLevelTokenizer):
    """Byte-level BPE between ``<s>`` and ``</s>``, pairs set apart by two ``</s>`` (Liu et al., 2019)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "cls_token": "<s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": AddedToken("<mask>", lstrip=True, normalized=False, special=True),
    }
    settings: ClassVar[Mapping[str, Any]] = {"trim_offsets": True}

    trim_offsets: bool

    def _set_template(self) -> None:
        self._backend.tokenizer.post_processor = processors.RobertaProcessing(
            self._end("sep_token"),
            self._end("cls_token"),
            trim_offsets=self.trim_offsets,
            add_prefix_space=bool(self.add_prefix_space),
        )
        self._backend.changed()


class BosEosTokenizer(PreTrainedTokenizerFast):
    """A first and a last token around each text, as ``add_bos_token`` and ``add_eos_token`` say.

    Both may be set later. Over a tokenizer.json they act when they are given explicitly.
    """

    settings: ClassVar[Mapping[str, Any]] = {"add_bos_token": True, "add_eos_token": False}

    add_bos_token: bool
    add_eos_token: bool

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in ("add_bos_token", "add_eos_token") and "_backend" in self.__dict__:
            self._set_template()

    def _current_template(self) -> Template:
        for role in ("bos", "eos"):
            if getattr(self, f"add_{role}_token") and getattr(self, f"{role}_token") is None:
                raise TokenizerError(f"add_{role}_token=True needs a {role}_token, and there is none.")
        first, last = ("bos" if self.add_bos_token else ""), ("eos" if self.add_eos_token else "")
        one = " ".join(filter(None, [first, "$A", last]))
        two = " ".join(filter(None, [first and f"{first}:1", "$B:1", last and f"{last}:1"]))
        return one, f"{one} {two}"

    def _apply_settings(self, explicit: Mapping[str, Any]) -> None:
        super()._apply_settings(explicit)
        if not {"add_bos_token", "add_eos_token"} & explicit.keys():
            return
        frame = self._frame(False)
        wanted = (
            [self.bos_token_id] if self.add_bos_token else [],
            [self.eos_token_id] if self.add_eos_token else [],
        )
        if (frame.before, frame.after) != wanted:
            self._set_template()


class SentencePieceTokenizer(PreTrainedTokenizerFast):
    """A sentencepiece model (Kudo and Richardson, 2018), Unigram or BPE, read without that library."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "spiece.model",
        "tokenizer_file": "tokenizer.json",
    }
    settings: ClassVar[Mapping[str, Any]] = {"sp_model_kwargs": {}}
    scheme: ClassVar[str] = "always"
    unk_id: ClassVar[int | None] = None
    match_control: ClassVar[bool] = True
    """Whether control and user-defined pieces are recognised in text, as sentencepiece itself does not."""
    blank_before_special: ClassVar[bool | None] = None
    """None decodes as the ``tokenizers`` library does; True and False as ``join_around`` does."""

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        model = read_sentencepiece(files["vocab_file"])
        if model.model_type == BPE:
            tokenizer = sentencepiece_bpe(model, unk_token=model.pieces[model.unk_id][0])
            tokenizer.normalizer = self._normalizer(model)
            tokenizer.pre_tokenizer, tokenizer.decoder = metaspace_pair(self.scheme)
        else:
            pieces = self._pieces(model)
            tokenizer = unigram(
                pieces,
                unk_id=self._unknown(pieces, model),
                normalizer=self._normalizer(model),
                scheme=self.scheme,
                byte_fallback=model.has_bytes,
            )
            if (splitter := self._pre_tokenizer()) is not None:
                tokenizer.pre_tokenizer = splitter
        if self.match_control:
            add_control_pieces(tokenizer, model)
        return tokenizer

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        if self.blank_before_special is None:
            return super().convert_tokens_to_string(tokens)
        return join_around(tokens, set(self.all_special_tokens), blank_before=self.blank_before_special)

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        if self.blank_before_special is None:
            return super()._decode(ids, skip_special_tokens=skip_special_tokens, **kwargs)
        return self._decode_spaced(ids, skip_special_tokens=skip_special_tokens, **kwargs)

    def _pieces(self, model: SentencePieceModel) -> list[tuple[str, float]]:
        """The vocabulary in the order of its ids."""
        return model.pieces

    def _unknown(self, pieces: list[tuple[str, float]], model: SentencePieceModel) -> int:
        if self.unk_id is not None:
            return self.unk_id
        name = model.pieces[model.unk_id][0]
        return next((index for index, (piece, _) in enumerate(pieces) if piece == name), model.unk_id)

    def _normalizer(self, model: SentencePieceModel) -> Any:
        return sentencepiece_normalizer(model)

    def _pre_tokenizer(self) -> Any:
        """A word split in place of the plain one on blanks; None keeps that."""
        return None


class FairseqTokenizer(SentencePieceTokenizer):
    """A sentencepiece model in fairseq's order of ids: ``<s> <pad> </s> <unk>``, then the pieces from the
    fourth on, then what ``_extra_pieces`` gives."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "sentencepiece.bpe.model",
        "tokenizer_file": "tokenizer.json",
    }
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "cls_token": "<s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": AddedToken("<mask>", lstrip=True, normalized=False, special=True),
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    template: ClassVar[Template | None] = ("cls $A sep", "cls $A sep sep $B sep")
    first_pieces: ClassVar[tuple[str, ...]] = ("<s>", "<pad>", "</s>", "<unk>")
    unk_id = 3

    def _pieces(self, model: SentencePieceModel) -> list[tuple[str, float]]:
        extra = [(piece, 0.0) for piece in self._extra_pieces()]
        return [*((piece, 0.0) for piece in self.first_pieces), *model.pieces[3:], *extra]

    def _extra_pieces(self) -> Sequence[str]:
        return ("<mask>",)
