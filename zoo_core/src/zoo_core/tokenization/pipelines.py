"""The pipelines that vocabulary files are turned into: one function per family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.loading import read_json
from zoo_core.tokenization.sentencepiece_model import CONTROL, USER_DEFINED, SentencePieceModel
from zoo_core.tokenization.templates import Template, parse

if TYPE_CHECKING:
    from zoo_core.tokenization.base import PreTrainedTokenizerBase

SPACE = "\u2581"
"""The sign for a blank in sentencepiece vocabularies."""


def template_processor(template: Template, tokenizer: PreTrainedTokenizerBase) -> Any:
    """The post-processor that puts the special tokens of ``template`` in their places."""
    special: dict[str, int] = {}
    pieces: list[list[str]] = []
    for text in template:
        pieces.append([])
        for part in parse(text, tokenizer):
            if part.sequence is not None:
                pieces[-1].append(f"${'AB'[part.sequence]}:{part.segment}")
                continue
            index = tokenizer.convert_tokens_to_ids(part.token)
            if index is None:
                raise TokenizerError(
                    f"{type(tokenizer).__name__} puts {part.token!r} around texts and lacks it."
                )
            special[part.token] = index
            pieces[-1].append(f"{part.token}:{part.segment}")
    return processors.TemplateProcessing(
        single=pieces[0], pair=pieces[1], special_tokens=list(special.items())
    )


# WordPiece


def read_word_list(path: Path) -> dict[str, int]:
    """A vocabulary with one token per line: token to line number. A repeated token keeps its last line."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TokenizerError(f"{path} is not a UTF-8 word list: {error}") from error
    if lines and lines[-1] == "":
        lines.pop()
    if not lines:
        raise TokenizerError(f"{path} is empty; a vocabulary has one token per line.")
    return {line.rstrip("\r"): index for index, line in enumerate(lines)}


def wordpiece(
    vocab: Mapping[str, int],
    *,
    unk_token: str,
    lowercase: bool,
    strip_accents: bool | None = None,
    chinese_chars: bool = True,
    prefix: str = "##",
) -> Tokenizer:
    """WordPiece after BERT's normalisation and word split (Devlin et al., 2018)."""
    tokenizer = Tokenizer(
        models.WordPiece(dict(vocab), unk_token=unk_token, continuing_subword_prefix=prefix)
    )
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=chinese_chars,
        strip_accents=strip_accents,
        lowercase=lowercase,
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix=prefix)
    return tokenizer


# BPE


def read_vocab(path: Path) -> dict[str, int]:
    """A vocab.json: token to id. Raises TokenizerError for anything else."""
    value = read_json(path)
    if not isinstance(value, dict) or not value:
        raise TokenizerError(f"{path} is not a vocabulary, an object of tokens and ids.")
    for token, index in value.items():
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < 1 << 31:
            raise TokenizerError(f"{path}: the id of {token!r} is {index!r}; ids are integers from 0 on.")
    return value


def read_merges(path: Path) -> list[tuple[str, str]]:
    """A merges.txt: pairs in the order of their merging."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TokenizerError(f"{path} is not a UTF-8 list of merges: {error}") from error
    merges = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or (number == 1 and line.startswith("#version")):
            continue
        parts = line.split()
        if len(parts) < 2:
            raise TokenizerError(
                f"{path}, line {number}: a merge is two tokens and a blank, not {line!r:.60}."
            )
        merges.append((parts[0], parts[1]))
    return merges


def byte_level(
    vocab: Mapping[str, int],
    merges: Sequence[tuple[str, str]],
    *,
    add_prefix_space: bool = False,
    split: str | None = None,
    normalizer: Any = None,
    **model_options: Any,
) -> Tokenizer:
    """Byte-level BPE (Radford et al., 2019). ``split``: a pattern that replaces GPT-2's own word split."""
    tokenizer = Tokenizer(
        models.BPE(
            dict(vocab),
            list(merges),
            **{"continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False, **model_options},
        )
    )
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    byte_level_split = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=split is None)
    if split is None:
        tokenizer.pre_tokenizer = byte_level_split
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(split), behavior="isolated"),
                byte_level_split,
            ]
        )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


# Sentencepiece


def metaspace(scheme: str = "always") -> tuple[Any, Any]:
    """Blanks to the sentencepiece sign, and back."""
    return (
        pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme=scheme),
        decoders.Metaspace(replacement=SPACE, prepend_scheme=scheme),
    )


def charsmap(model: SentencePieceModel) -> list[Any]:
    """The model's own normalisation table, where it has one."""
    return [normalizers.Precompiled(model.charsmap)] if model.charsmap else []


def sentencepiece_normalizer(model: SentencePieceModel) -> Any:
    """What sentencepiece does to text first: its table, no blanks at the end, runs of blanks made one."""
    return normalizers.Sequence(
        [
            *charsmap(model),
            normalizers.Strip(left=False, right=True),
            normalizers.Replace(Regex(" {2,}"), SPACE),
        ]
    )


def unigram(
    pieces: Sequence[tuple[str, float]],
    *,
    unk_id: int,
    normalizer: Any,
    scheme: str = "always",
    byte_fallback: bool = False,
) -> Tokenizer:
    """A Unigram language model (Kudo, 2018) over pieces in the order of their ids."""
    tokenizer = Tokenizer(models.Unigram(list(pieces), unk_id=unk_id, byte_fallback=byte_fallback))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer, tokenizer.decoder = metaspace(scheme)
    return tokenizer


def sentencepiece_bpe(model: SentencePieceModel, *, unk_token: str | None) -> Tokenizer:
    """BPE of a sentencepiece model, with byte fallback where it has bytes; no normaliser yet."""
    vocab = {piece: index for index, (piece, _) in enumerate(model.pieces)}
    return Tokenizer(
        models.BPE(
            vocab,
            model.merges(),
            unk_token=unk_token,
            fuse_unk=True,
            byte_fallback=model.has_bytes,
            dropout=None,
        )
    )


def add_control_pieces(tokenizer: Tokenizer, model: SentencePieceModel) -> None:
    """Control and user-defined pieces are matched whole, as sentencepiece matches them."""
    tokenizer.add_tokens(
        [
            AddedToken(model.pieces[index][0], normalized=False, special=model.types[index] == CONTROL)
            for index in model.of_type(CONTROL, USER_DEFINED)
        ]
    )
