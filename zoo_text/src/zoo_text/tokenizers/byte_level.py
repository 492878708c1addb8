"""Byte-level BPE: GPT-2's tokenizer and those that share its files (Radford et al., 2019)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors

from zoo_core.tokenization.families import BosEosTokenizer, ByteLevelTokenizer, RobertaLikeTokenizer
from zoo_core.tokenization.pipelines import byte_level, read_merges, read_vocab

_END_OF_TEXT = {"unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}


class GPT2Tokenizer(ByteLevelTokenizer):
    """GPT-2 and its kin: no tokens around the texts."""

    special_tokens = _END_OF_TEXT


class CodeGenTokenizer(GPT2Tokenizer):
    """CodeGen: GPT-2's, with code cut at a pattern when decoding (``truncate_before_pattern``)."""

    settings: ClassVar[Mapping[str, Any]] = {"return_token_type_ids": False}
    special_tokens = _END_OF_TEXT

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        patterns: Sequence[str] | None = kwargs.pop("truncate_before_pattern", None)
        text = super()._decode(ids, skip_special_tokens=skip_special_tokens, **kwargs)
        return text if not patterns else _first_function(text, patterns)


def _first_function(text: str, patterns: Sequence[str]) -> str:
    """Generated code up to its second print, its second function, or the first match of a pattern."""
    for heading in ("^print", "^def"):
        found = list(re.finditer(heading, text, re.MULTILINE))
        if len(found) > 1:
            text = text[: found[1].start()]
    ends = [match.start() for pattern in patterns if (match := re.search(pattern, text, re.MULTILINE))]
    return text[: min(ends)] if ends else text


class BloomTokenizer(GPT2Tokenizer):
    """BLOOM, from tokenizer.json alone."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"tokenizer_file": "tokenizer.json"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
    }


class GPTNeoXTokenizer(BosEosTokenizer, GPT2Tokenizer):
    """GPT-NeoX: GPT-2's, with first and last tokens on demand."""

    settings: ClassVar[Mapping[str, Any]] = {"add_bos_token": False}


class CohereTokenizer(BosEosTokenizer, GPT2Tokenizer):
    """Cohere's Command models, from tokenizer.json alone."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"tokenizer_file": "tokenizer.json"}
    padding_side = "left"
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<UNK>",
        "bos_token": "<BOS_TOKEN>",
        "eos_token": "<|END_OF_TURN_TOKEN|>",
    }


class Qwen2Tokenizer(ByteLevelTokenizer):
    """Qwen 2 and 3: NFC, digits one by one, and a word split of its own."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
    }
    words_need_prefix = False
    split = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )

    def _normalizer(self) -> Any:
        return normalizers.NFC()


class RobertaTokenizer(RobertaLikeTokenizer):
    """RoBERTa."""


class BartTokenizer(RobertaLikeTokenizer):
    """BART."""


class LEDTokenizer(RobertaLikeTokenizer):
    """LED: BART's, padding ``global_attention_mask`` with -1 beside the rest."""

    def pad(self, *args: Any, **kwargs: Any) -> Any:
        padded = super().pad(*args, **kwargs)
        mask = padded.get("global_attention_mask")
        ids = padded[self.model_input_names[0]]
        if mask is not None and len(mask) and isinstance(mask, list) and isinstance(ids, list):
            left = (kwargs.get("padding_side") or self.padding_side) == "left"
            rows = [mask] if isinstance(mask[0], int) else mask
            lengths = [len(ids)] if isinstance(mask[0], int) else [len(row) for row in ids]
            done = []
            for row, length in zip(rows, lengths, strict=True):
                fill = [-1] * (length - len(row))
                done.append([*fill, *row] if left else [*row, *fill])
            padded["global_attention_mask"] = done[0] if isinstance(mask[0], int) else done
        return padded


class LongformerTokenizer(RobertaLikeTokenizer):
    """Longformer."""


class MvpTokenizer(RobertaLikeTokenizer):
    """MVP."""


class BlenderbotTokenizer(RobertaLikeTokenizer):
    """Blenderbot: an end of text after each turn, nothing in front."""

    template = ("$A eos", "$A $B:1")

    def _set_template(self) -> None:
        ByteLevelTokenizer._set_template(self)


class DebertaTokenizer(ByteLevelTokenizer):
    """DeBERTa: GPT-2's vocabulary with BERT's special tokens."""

    model_input_names = ("input_ids", "attention_mask", "token_type_ids")
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "[CLS]",
        "eos_token": "[SEP]",
        "sep_token": "[SEP]",
        "cls_token": "[CLS]",
        "unk_token": "[UNK]",
        "pad_token": "[PAD]",
        "mask_token": AddedToken("[MASK]", lstrip=True, normalized=True, special=True),
    }
    template = ("cls $A sep", "cls $A sep $B:1 sep:1")


class CLIPTokenizer(ByteLevelTokenizer):
    """CLIP: lower-cased bytes, words ending in ``</w>`` (Radford et al., 2021)."""

    words_need_prefix = False
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": AddedToken("<|endoftext|>", normalized=True, special=True),
        "bos_token": AddedToken("<|startoftext|>", normalized=True, special=True),
        "eos_token": AddedToken("<|endoftext|>", normalized=True, special=True),
        "pad_token": "<|endoftext|>",
    }
    words: ClassVar[str] = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        tokenizer = byte_level(
            read_vocab(files["vocab_file"]),
            read_merges(files["merges_file"]),
            unk_token=self.unk_token,
            end_of_word_suffix="</w>",
            normalizer=normalizers.Sequence(
                [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
            ),
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(self.words), behavior="removed", invert=True),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        return tokenizer

    def _set_template(self) -> None:
        self._backend.tokenizer.post_processor = processors.RobertaProcessing(
            self._end("eos_token"),
            self._end("bos_token"),
            trim_offsets=False,
            add_prefix_space=False,
        )
        self._backend.changed()

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        text = super()._decode(ids, skip_special_tokens=skip_special_tokens, **kwargs)
        return text.replace("</w>", " ").strip()
