"""BPE from before byte level, over whole characters: GPT, HerBERT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_core.tokenization.pipelines import read_merges, read_vocab

_FILES = {"vocab_file": "vocab.json", "merges_file": "merges.txt", "tokenizer_file": "tokenizer.json"}


def _word_bpe(files: Mapping[str, Path], *, unk_token: str | None, **normalisation: Any) -> Tokenizer:
    """BPE whose words end in ``</w>``, after BERT's word split (Sennrich et al., 2016)."""
    tokenizer = Tokenizer(
        models.BPE(
            read_vocab(files["vocab_file"]),
            read_merges(files["merges_file"]),
            unk_token=unk_token,
            end_of_word_suffix="</w>",
        )
    )
    tokenizer.normalizer = normalizers.BertNormalizer(**normalisation)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    return tokenizer


class OpenAIGPTTokenizer(PreTrainedTokenizerFast):
    """GPT: lower case, words as BERT splits them (Radford et al., 2018)."""

    vocab_files_names: ClassVar[Mapping[str, str]] = _FILES
    special_tokens: ClassVar[Mapping[str, Any]] = {"unk_token": "<unk>"}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        return _word_bpe(files, unk_token=self.unk_token, lowercase=True)


class HerbertTokenizer(PreTrainedTokenizerFast):
    """HerBERT: cased BPE between ``<s>`` and ``</s>`` (Mroczkowski et al., 2021)."""

    vocab_files_names: ClassVar[Mapping[str, str]] = _FILES
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "cls_token": "<s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
        "sep_token": "</s>",
        "bos_token": "<s>",
        "additional_special_tokens": tuple(f"<special{index}>" for index in range(10)),
    }

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        return _word_bpe(files, unk_token=self.unk_token, lowercase=False, strip_accents=False)

    def _set_template(self) -> None:
        self._backend.tokenizer.post_processor = processors.BertProcessing(
            (self.sep_token, self.sep_token_id), (self.cls_token, self.cls_token_id)
        )
        self._backend.changed()
