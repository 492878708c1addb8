"""Sentencepiece BPE with byte fallback: Llama, Code Llama, Gemma (Touvron et al., 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.families import BosEosTokenizer
from zoo_core.tokenization.pipelines import SPACE, add_control_pieces, sentencepiece_bpe
from zoo_core.tokenization.sentencepiece_model import BPE, SentencePieceModel, read_sentencepiece


class LlamaTokenizer(BosEosTokenizer):
    """Llama's tokenizer, from ``tokenizer.model`` or tokenizer.json.

    add_prefix_space: a blank before the text (a vocabulary file only). legacy: a blank after each special
    token too, as the first release had it.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "tokenizer.model",
        "tokenizer_file": "tokenizer.json",
    }
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "sp_model_kwargs": {},
        "legacy": None,
        "add_prefix_space": None,
        "use_default_system_prompt": False,
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    padding_side = "left"

    legacy: bool | None
    add_prefix_space: bool | None

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        model = read_sentencepiece(files["vocab_file"])
        if model.model_type != BPE:
            raise TokenizerError(f"{files['vocab_file']} is no BPE model, which {type(self).__name__} needs.")
        renamed = replace(model, pieces=self._pieces(model))
        tokenizer = sentencepiece_bpe(renamed, unk_token=model.pieces[model.unk_id][0])
        self._build(tokenizer, model)
        add_control_pieces(tokenizer, model)
        return tokenizer

    def _pieces(self, model: SentencePieceModel) -> list[tuple[str, float]]:
        return model.pieces

    def _build(self, tokenizer: Tokenizer, model: SentencePieceModel) -> None:
        prefix = self.add_prefix_space is not False
        replace = normalizers.Replace(" ", SPACE)
        if self.legacy is False:
            scheme = "first" if prefix else "never"
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(SPACE, prepend_scheme=scheme, split=False)
        else:
            steps = [normalizers.Prepend(SPACE), replace] if prefix else [replace]
            tokenizer.normalizer = normalizers.Sequence(steps)
        steps = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
        tokenizer.decoder = decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if prefix else steps)


class CodeLlamaTokenizer(LlamaTokenizer):
    """Code Llama: Llama's, with tokens for filling in the middle.

    A text that holds ``fill_token`` is taken as prefix and suffix around the place to fill, in the order that
    ``suffix_first`` says.
    """

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "prefix_token": f"{SPACE}<PRE>",
        "middle_token": f"{SPACE}<MID>",
        "suffix_token": f"{SPACE}<SUF>",
        "eot_token": f"{SPACE}<EOT>",
    }
    settings: ClassVar[Mapping[str, Any]] = {"fill_token": "<FILL_ME>", "suffix_first": False}


class GemmaTokenizer(LlamaTokenizer):
    """Gemma: blanks are pieces of their own, none is put in front."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
    }

    def _pieces(self, model: SentencePieceModel) -> list[tuple[str, float]]:
        first = [self.pad_token, self.eos_token, self.bos_token]
        return [*((piece, 0.0) for piece in first if piece), *model.pieces[3:]]

    def _build(self, tokenizer: Tokenizer, model: SentencePieceModel) -> None:
        tokenizer.normalizer = normalizers.Replace(" ", SPACE)
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
        )
