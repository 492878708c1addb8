"""Tokenizers that the ``tokenizers`` library runs: tokenizer.json as it is, or a pipeline built once from
vocabulary files."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from tokenizers import AddedToken, Encoding, Tokenizer

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.backend import Backend, or_reraise, read_tokenizer, stable_json
from zoo_core.tokenization.base import PreTrainedTokenizerBase
from zoo_core.tokenization.batch_encoding import BatchEncoding
from zoo_core.tokenization.decoding import check_ids, id_list
from zoo_core.tokenization.options import CallOptions, logger
from zoo_core.tokenization.padding import target_length
from zoo_core.tokenization.pipelines import template_processor
from zoo_core.tokenization.special_tokens import as_added_token
from zoo_core.tokenization.templates import Frame, Template


class PreTrainedTokenizerFast(PreTrainedTokenizerBase):
    """A tokenizer over ``tokenizers.Tokenizer``.

    ``PreTrainedTokenizerFast(tokenizer_file="tokenizer.json", pad_token="[PAD]")`` or
    ``(tokenizer_object=tokenizer)`` wraps any of that library's. A family overrides ``convert``, which builds
    the pipeline from vocabulary files, and declares ``template``, the special tokens around the texts. A
    tokenizer.json is never rebuilt: only settings given explicitly (``do_lower_case``) change
    the part of it that they name.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {"tokenizer_file": "tokenizer.json"}
    template: ClassVar[Template | None] = None
    is_fast: ClassVar[bool] = True

    def __init__(
        self,
        *vocab_files: str | Path | None,
        tokenizer_object: Tokenizer | None = None,
        tokenizer_file: str | Path | None = None,
        added_tokens_decoder: Mapping[Any, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        files = self._vocab_files(vocab_files, kwargs)
        super().__init__(**kwargs)
        from_json = tokenizer_object is not None or tokenizer_file is not None
        if tokenizer_object is not None:
            backend = copy.deepcopy(tokenizer_object)
        elif tokenizer_file is not None:
            backend = read_tokenizer(tokenizer_file)
        else:
            backend = self._converted(files)
        self._backend = Backend(backend)
        self._files = files
        if from_json:
            self._adopt_file_defaults(kwargs)
        self._settle_special_tokens(added_tokens_decoder or {}, frozenset(kwargs) if from_json else None)
        if from_json:
            self._apply_settings({name: kwargs[name] for name in self._all_settings() if name in kwargs})
        else:
            self._set_template()

    def _vocab_files(self, given: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Path]:
        names = [name for name in self.vocab_files_names if name != "tokenizer_file"]
        if len(given) > len(names):
            raise TokenizerError(f"{type(self).__name__} takes the files {names}, not {len(given)} files.")
        found = {name: kwargs.pop(name) for name in names if name in kwargs} | dict(
            zip(names, given, strict=False)
        )
        return {name: Path(path) for name, path in found.items() if path is not None}

    # What a family adds

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        """Model, normalizer, pre-tokenizer and decoder from vocabulary files. Raises TokenizerError."""
        raise TokenizerError(f"{type(self).__name__} is read from tokenizer.json, and there is none.")

    def _apply_settings(self, explicit: Mapping[str, Any]) -> None:
        """Bring a pipeline that came from tokenizer.json in line with settings that were given explicitly."""

    def _current_template(self) -> Template | None:
        """The template to build; a family whose settings decide it overrides this."""
        return self.template

    def _set_template(self) -> None:
        """Build the post-processor from the template."""
        template = self._current_template()
        if template is not None:
            self._backend.tokenizer.post_processor = template_processor(template, self)
            self._backend.changed()

    def _converted(self, files: Mapping[str, Path]) -> Tokenizer:
        try:
            return self.convert(files)
        except (OSError, ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
            if isinstance(error, TokenizerError):
                raise
            names = ", ".join(str(path) for path in files.values()) or "no files"
            raise TokenizerError(f"{type(self).__name__} cannot be read from {names}: {error}") from error
        except Exception as error:  # the tokenizers library raises Exception itself
            raise TokenizerError(f"{type(self).__name__}: the vocabulary is not usable: {error}") from error

    # Setting up

    def _adopt_file_defaults(self, kwargs: Mapping[str, Any]) -> None:
        """Padding and truncation that tokenizer.json describes serve as defaults where nothing else does."""
        padding, truncation = self._backend.padding, self._backend.truncation
        if padding is not None:
            if "pad_token" not in kwargs:
                self.pad_token = padding["pad_token"]
            if "padding_side" not in kwargs:
                self.padding_side = padding["direction"]
            if "pad_token_type_id" not in kwargs:
                self.pad_token_type_id = padding["pad_type_id"]
        if truncation is not None and "truncation_side" not in kwargs:
            self.truncation_side = truncation["direction"]

    def _settle_special_tokens(
        self, added_tokens_decoder: Mapping[Any, Any], explicit: frozenset[str] | None
    ) -> None:
        """Make vocabulary and special tokens agree.

        ``explicit`` names what was given for a tokenizer.json: a class's default token that its vocabulary
        lacks is dropped there, since the file is the truth; all others are added.
        """
        tokenizer = self._backend.tokenizer
        declared = sorted(
            (int(index), as_added_token(token)) for index, token in added_tokens_decoder.items()
        )
        known = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
        tokenizer.add_tokens([token for _, token in declared if token.content not in known])
        for index, token in declared:
            if (found := tokenizer.token_to_id(token.content)) != index:
                logger.warning(
                    "%r has the id %s here; added_tokens_decoder says %d.", token.content, found, index
                )
        if explicit is not None:
            for role, role_token in self._roles.items():
                if role_token and role not in explicit and tokenizer.token_to_id(role_token.content) is None:
                    self._roles[role] = None
            if "additional_special_tokens" not in explicit and "extra_special_tokens" not in explicit:
                self._additional = [
                    t for t in self._additional if tokenizer.token_to_id(t.content) is not None
                ]
        self._add_tokens(self.all_special_tokens_extended, special=True)
        self._adopt_flags()

    def _add_tokens(self, tokens: list[AddedToken], *, special: bool) -> int:
        """Adds what is new; a token of the model's vocabulary becomes one that is matched whole."""
        tokenizer = self._backend.tokenizer
        added = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
        new = [token for token in tokens if token.content not in added and token.content]
        if not new:
            return 0
        before = tokenizer.get_vocab_size()
        specials = set(self.all_special_tokens) if special else set()
        for token in new:
            if token.content in specials or special:
                token.special = True
        tokenizer.add_tokens(new)
        self._backend.changed()
        return int(tokenizer.get_vocab_size() - before)

    @property
    def backend_tokenizer(self) -> Tokenizer:
        """The library's own object, free to change: from then on every call honours its present state."""
        self._backend.exposed = True
        return self._backend.tokenizer

    @property
    def _tokenizer(self) -> Tokenizer:
        return self.backend_tokenizer

    @property
    def decoder(self) -> Any:
        return self._backend.tokenizer.decoder

    @property
    def can_save_slow_tokenizer(self) -> bool:
        """Whether the vocabulary files that this tokenizer was read from can be written again."""
        names = [name for name in self.vocab_files_names if name != "tokenizer_file"]
        return bool(names) and all(name in self._files and self._files[name].is_file() for name in names)

    # Vocabulary

    @property
    def vocab_size(self) -> int:
        return int(self._backend.tokenizer.get_vocab_size(with_added_tokens=False))

    def __len__(self) -> int:
        return int(self._backend.tokenizer.get_vocab_size(with_added_tokens=True))

    def get_vocab(self) -> dict[str, int]:
        return dict(self._backend.tokenizer.get_vocab(with_added_tokens=True))

    @property
    def vocab(self) -> dict[str, int]:
        """The same as ``get_vocab()``."""
        return self.get_vocab()

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        added = self._backend.tokenizer.get_added_tokens_decoder()
        return {index: added[index] for index in sorted(added)}

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """The id of a token, or the ids of several; unknown ones give the id of ``unk_token``, or None."""
        if isinstance(tokens, str):
            found = self._backend.tokenizer.token_to_id(tokens)
            unknown = self._roles.get("unk_token") if found is None else None
            return found if unknown is None else self._backend.tokenizer.token_to_id(unknown.content)
        if isinstance(tokens, Iterable):
            return [self.convert_tokens_to_ids(token) for token in tokens]
        if tokens is None:
            return None
        raise TokenizerError(f"convert_tokens_to_ids takes a token or a list of tokens, not {tokens!r:.80}.")

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """The token of an id, or the tokens of several. Raises TokenizerError for an id that has none."""
        single = isinstance(ids, int)
        wanted = id_list(ids)
        check_ids(wanted)
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        look_up = self._backend.tokenizer.id_to_token
        tokens = []
        for index in wanted:
            if single or index not in skipped:
                token = look_up(index) if index < 1 << 32 else None
                if token is None:
                    raise TokenizerError(f"Id {index} is outside the vocabulary of {len(self)} ids.")
                tokens.append(token)
        return tokens[0] if single else tokens

    def _has_id(self, index: int) -> bool:
        return index < 1 << 32 and self._backend.tokenizer.id_to_token(index) is not None

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        decoder = self._backend.tokenizer.decoder
        return " ".join(tokens) if decoder is None else str(decoder.decode(tokens))

    # Text to ids

    def _encode_batch(
        self, inputs: list[Any], options: CallOptions, *, single: bool, variant: str | None = None
    ) -> BatchEncoding:
        if options.target and "target" in self._backend.variants:
            variant = "target"
        view = self._backend.view(options, self.truncation_side, variant)
        encodings = self._run(view, inputs, options)
        rows: list[Encoding] = []
        samples: list[int] = []
        for index, encoding in enumerate(encodings):
            group = [encoding, *encoding.overflowing] if options.return_overflowing_tokens else [encoding]
            rows += group
            samples += [index] * len(group)
        longest = max((len(row) for row in rows), default=0)
        length = target_length(longest, options.padding, options.max_length, options.pad_to_multiple_of)
        if length is not None:
            for row in rows:
                row.pad(
                    length,
                    direction=options.padding_side,
                    pad_id=self.pad_token_id,
                    pad_type_id=self.pad_token_type_id,
                    pad_token=self.pad_token,
                )
        pairs = bool(inputs) and isinstance(inputs[0], tuple)
        return BatchEncoding(_columns(rows, samples, options), rows, n_sequences=2 if pairs else 1)

    @staticmethod
    def _run(view: Tokenizer, inputs: list[Any], options: CallOptions) -> list[Encoding]:
        special, words = options.add_special_tokens, options.is_split_into_words
        try:
            if len(inputs) != 1:
                return list(view.encode_batch(inputs, add_special_tokens=special, is_pretokenized=words))
            first, second = inputs[0] if isinstance(inputs[0], tuple) else (inputs[0], None)
            return [view.encode(first, second, add_special_tokens=special, is_pretokenized=words)]
        except BaseException as error:
            if isinstance(error, Exception):
                raise TokenizerError(f"The text cannot be encoded: {error}") from error
            raise or_reraise(error, f"The text cannot be encoded: {error}") from error

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        # not the class's own call, which may want more than text
        encoded = PreTrainedTokenizerBase.__call__(
            self, text, pair, add_special_tokens=add_special_tokens, truncation=False, **kwargs
        )
        return list(encoded.tokens())

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        return str(self._backend.tokenizer.decode(ids, skip_special_tokens=skip_special_tokens))

    # Special tokens around the texts

    def _frame(self, pair: bool) -> Frame:
        return self._backend.frame(pair)

    # Training and files

    def train_new_from_iterator(
        self,
        text_iterator: Iterable[str] | Iterable[Sequence[str]],
        vocab_size: int,
        length: int | None = None,
        new_special_tokens: Sequence[str | AddedToken] | None = None,
        special_tokens_map: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> Self:
        """A tokenizer of the same kind with a vocabulary learned from texts.

        ``special_tokens_map`` renames special tokens, ``new_special_tokens`` adds some; further keywords go
        to the trainer of the ``tokenizers`` library.
        """
        from zoo_core.tokenization.training import train_new

        return train_new(
            self,
            text_iterator,
            vocab_size,
            length=length,
            new_special_tokens=new_special_tokens or (),
            renamed=special_tokens_map or {},
            trainer_options=kwargs,
        )

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        if not self.can_save_slow_tokenizer:
            return ()
        from zoo_core.tokenization.saving import copy_files

        prefix = f"{filename_prefix}-" if filename_prefix else ""
        named = {prefix + self.vocab_files_names[name]: path for name, path in self._files.items()}
        return copy_files(named, Path(save_directory))

    def _write_backend(self, folder: Path, prefix: str) -> list[Path]:
        path = folder / f"{prefix}tokenizer.json"
        path.write_text(stable_json(self._backend.for_saving()), encoding="utf-8")
        return [path]


def _columns(rows: list[Encoding], samples: list[int], options: CallOptions) -> dict[str, Any]:
    columns: dict[str, Any] = {"input_ids": [row.ids for row in rows]}
    if options.return_token_type_ids:
        columns["token_type_ids"] = [row.type_ids for row in rows]
    if options.return_attention_mask:
        columns["attention_mask"] = [row.attention_mask for row in rows]
    if options.return_special_tokens_mask:
        columns["special_tokens_mask"] = [row.special_tokens_mask for row in rows]
    if options.return_offsets_mapping:
        columns["offset_mapping"] = [row.offsets for row in rows]
    if options.return_length:
        columns["length"] = [len(row) for row in rows]
    if options.return_overflowing_tokens:
        columns["overflow_to_sample_mapping"] = samples
    return columns
