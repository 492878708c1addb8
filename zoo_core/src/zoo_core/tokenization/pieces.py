"""Sentencepiece pieces as strings: cutting text into them and joining them again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import Tokenizer, decoders

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.pipelines import (
    SPACE,
    metaspace,
    sentencepiece_bpe,
    sentencepiece_normalizer,
    unigram,
)
from zoo_core.tokenization.python import PreTrainedTokenizer
from zoo_core.tokenization.saving import copy_files
from zoo_core.tokenization.sentencepiece_model import (
    BPE,
    CONTROL,
    UNUSED,
    SentencePieceModel,
    read_sentencepiece,
)

_JOIN: Any = decoders.Sequence(
    [decoders.ByteFallback(), decoders.Fuse(), decoders.Replace(SPACE, " "), decoders.Strip(" ", 1, 0)]
)


def join_pieces(pieces: list[str]) -> str:
    """The text of a run of pieces, without the blank that the first one carries."""
    return str(_JOIN.decode(pieces)) if pieces else ""


def join_around(
    tokens: Iterable[str],
    special: Collection[str],
    *,
    blank_before: bool = False,
    blank_after: bool = False,
    join: Callable[[list[str]], str] = join_pieces,
) -> str:
    """Runs of pieces joined, special tokens kept as they are between them.

    blank_before: a blank before each run that a special token ends, and before one that starts the text.
    blank_after: a blank after each special token.
    """
    text: list[str] = []
    run: list[str] = []
    after_special = False
    for token in tokens:
        if token not in special:
            run.append(token)
            after_special = False
            continue
        if blank_before and not after_special:
            text.append(" ")
        text += [join(run), token, " " if blank_after else ""]
        run = []
        after_special = True
    return "".join([*text, join(run)])


def piece_tokenizer(model: SentencePieceModel, scheme: str = "always") -> Tokenizer:
    """A tokenizer whose tokens are the model's pieces, ids being the model's own."""
    unknown = model.pieces[model.unk_id][0]
    if model.model_type == BPE:
        tokenizer = sentencepiece_bpe(model, unk_token=unknown)
        tokenizer.normalizer = sentencepiece_normalizer(model)
        tokenizer.pre_tokenizer, tokenizer.decoder = metaspace(scheme)
        return tokenizer
    # Sentencepiece never finds control pieces in text: they get names that no text holds.
    hidden = set(model.of_type(CONTROL, UNUSED))
    pieces = [
        (f"\0{piece}" if index in hidden else piece, score)
        for index, (piece, score) in enumerate(model.pieces)
    ]
    return unigram(
        pieces,
        unk_id=model.unk_id,
        normalizer=sentencepiece_normalizer(model),
        scheme=scheme,
        byte_fallback=model.has_bytes,
    )


class PieceTokenizer(PreTrainedTokenizer):
    """A sentencepiece model whose pieces a subclass gives ids of its own, by ``_convert_token_to_id``.

    Without more, the ids are the model's.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "spiece.model"}
    settings: ClassVar[Mapping[str, Any]] = {"sp_model_kwargs": {}}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    scheme: ClassVar[str] = "always"
    blank_before_special: ClassVar[bool] = False
    pieces_file: ClassVar[str] = "vocab_file"

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        self._files = self._take_files(vocab_files, kwargs)
        self._load(self._files)
        super().__init__(**kwargs)

    def _take_files(self, given: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Path]:
        named = dict(zip(self.vocab_files_names, given, strict=False))
        named |= {name: kwargs.pop(name) for name in self.vocab_files_names if name in kwargs}
        found = {name: Path(path) for name, path in named.items() if path is not None}
        if self.pieces_file not in found:
            wanted = self.vocab_files_names[self.pieces_file]
            raise TokenizerError(f"{type(self).__name__} needs a sentencepiece model, {wanted}.")
        return found

    def _load(self, files: Mapping[str, Path]) -> None:
        """Read the files, before the special tokens are settled."""
        self.model = read_sentencepiece(files[self.pieces_file])
        self._engine = piece_tokenizer(self.model, self.scheme)

    @property
    def vocab_size(self) -> int:
        return len(self.model)

    def get_vocab(self) -> dict[str, int]:
        own = {str(self._convert_id_to_token(index)): index for index in range(self.vocab_size)}
        return {**own, **self._added_ids}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return list(self._engine.encode(text, add_special_tokens=False).tokens)

    def _convert_token_to_id(self, token: str) -> int | None:
        return self.model.ids.get(token, self.model.unk_id)

    def _convert_id_to_token(self, index: int) -> str | None:
        return self.model.pieces[index][0] if 0 <= index < len(self.model) else None

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        special = set(self.all_special_tokens)
        return join_around(tokens, special, blank_before=self.blank_before_special).strip()

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        named = {prefix + self.vocab_files_names[name]: path for name, path in self._files.items()}
        return copy_files(named, Path(save_directory))
