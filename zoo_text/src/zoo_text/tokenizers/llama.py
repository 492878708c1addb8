"""Sentencepiece BPE with byte fallback: Llama, Code Llama, Gemma (Touvron et al., 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers

from zoo_core.errors import TokenizerError
from zoo_core.tokenization import BatchEncoding
from zoo_core.tokenization.families import BosEosTokenizer
from zoo_core.tokenization.options import CallOptions
from zoo_core.tokenization.pipelines import SPACE, add_control_pieces, sentencepiece_bpe, template_processor
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
        "additional_special_tokens": tuple(f"{SPACE}<{name}>" for name in ("PRE", "MID", "SUF", "EOT")),
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "prefix_token": f"{SPACE}<PRE>",
        "middle_token": f"{SPACE}<MID>",
        "suffix_token": f"{SPACE}<SUF>",
        "eot_token": f"{SPACE}<EOT>",
        "fill_token": "<FILL_ME>",
        "suffix_first": False,
    }

    prefix_token: str
    middle_token: str
    suffix_token: str
    eot_token: str

    fill_token: str | None
    suffix_first: bool

    prefix_id = property(lambda self: self.convert_tokens_to_ids(self.prefix_token))
    middle_id = property(lambda self: self.convert_tokens_to_ids(self.middle_token))
    suffix_id = property(lambda self: self.convert_tokens_to_ids(self.suffix_token))
    eot_id = property(lambda self: self.convert_tokens_to_ids(self.eot_token))

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        super().__init__(*vocab_files, **kwargs)
        for name, order in (("prefix", "$A suffix $B middle"), ("suffix", "suffix $B middle $A")):
            ends = ("bos " if self.add_bos_token else "", " eos" if self.add_eos_token else "")
            self._backend.set_variant(
                name,
                post_processor=template_processor(("$A", f"{ends[0]}prefix {order}{ends[1]}"), self),
                normalizer=normalizers.Replace(" ", SPACE),
            )

    def _call_extras(self, extra: Mapping[str, Any]) -> dict[str, Any]:
        return {"suffix_first": extra.get("suffix_first", self.suffix_first)}

    def _encode_batch(
        self, inputs: list[Any], options: CallOptions, *, single: bool, **kwargs: Any
    ) -> BatchEncoding:
        suffix_first = kwargs.pop("suffix_first", self.suffix_first)
        if not single or not options.add_special_tokens or options.is_split_into_words:
            return super()._encode_batch(inputs, options, single=single, **kwargs)
        text = inputs[0]
        if isinstance(text, str) and self.fill_token and self.fill_token in text:
            before, _, after = text.partition(self.fill_token)
            text = (before, after)
        if isinstance(text, str) or not text[1]:
            inputs = [text if isinstance(text, str) else text[0]]
            return super()._encode_batch(inputs, options, single=single, **kwargs)
        # The blank in front stands for the one that the pipeline of plain texts prepends.
        order = "suffix" if suffix_first else "prefix"
        return super()._encode_batch([(f" {text[0]}", text[1])], options, single=single, variant=order)


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
