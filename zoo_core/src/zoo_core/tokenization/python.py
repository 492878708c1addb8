"""Tokenizers written in Python, for kinds that the ``tokenizers`` library cannot express."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.base import PreTrainedTokenizerBase
from zoo_core.tokenization.batch_encoding import BatchEncoding
from zoo_core.tokenization.decoding import check_ids, id_list
from zoo_core.tokenization.options import CallOptions
from zoo_core.tokenization.special_tokens import as_added_token
from zoo_core.tokenization.templates import PLAIN, Frame, Template, frame, parse


class PreTrainedTokenizer(PreTrainedTokenizerBase):
    """Base of tokenizers in Python.

    A subclass fills its vocabulary, then calls ``super().__init__``, and provides ``vocab_size``,
    ``get_vocab``, ``_tokenize``, ``_convert_token_to_id``, ``_convert_id_to_token`` and where joining by
    blanks is wrong ``convert_tokens_to_string``. ``template`` says which special tokens surround the texts;
    ``build_inputs_with_special_tokens`` may be overridden instead. There are no offsets.
    """

    template: ClassVar[Template] = PLAIN

    def __init__(self, *, added_tokens_decoder: Mapping[Any, Any] | None = None, **kwargs: Any) -> None:
        self._added: dict[int, AddedToken] = {}
        self._added_ids: dict[str, int] = {}
        self._splitter: re.Pattern[str] | None = None
        super().__init__(**kwargs)
        for index, token in sorted(
            (int(i), as_added_token(t)) for i, t in (added_tokens_decoder or {}).items()
        ):
            self._put(index, token)
        self._add_tokens(self.all_special_tokens_extended, special=True)
        self._adopt_flags()

    # What a subclass provides

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        """Tokens of a text that holds no added token."""
        raise NotImplementedError

    def _convert_token_to_id(self, token: str) -> int | None:
        raise NotImplementedError

    def _convert_id_to_token(self, index: int) -> str | None:
        raise NotImplementedError

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        """The text before it is split at added tokens, and the keywords left for ``_tokenize``."""
        return text, kwargs

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return " ".join(tokens)

    # Vocabulary

    def __len__(self) -> int:
        return self.vocab_size + sum(index >= self.vocab_size for index in self._added)

    def get_vocab(self) -> dict[str, int]:
        raise NotImplementedError

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        return {index: self._added[index] for index in sorted(self._added)}

    def _put(self, index: int, token: AddedToken) -> None:
        self._added[index] = token
        self._added_ids[token.content] = index

    def _add_tokens(self, tokens: list[AddedToken], *, special: bool) -> int:
        new = 0
        vocab: dict[str, int] | None = None
        specials = set(self.all_special_tokens) if special else set()
        for token in tokens:
            if not token.content or token.content in self._added_ids:
                continue
            if special or token.content in specials:
                token.special = True
            vocab = self.get_vocab() if vocab is None else vocab
            index = vocab.get(token.content)
            if index is None:
                index = max(self.vocab_size, max(self._added, default=-1) + 1)
                new += 1
            self._put(index, token)
        self._splitter = None
        return new

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """The id of a token, or the ids of several; unknown ones give the id of ``unk_token``, or None."""
        if tokens is None:
            return None
        if isinstance(tokens, str):
            found = self._added_ids.get(tokens)
            return self._convert_token_to_id(tokens) if found is None else found
        if isinstance(tokens, Iterable):
            return [self.convert_tokens_to_ids(token) for token in tokens]
        raise TokenizerError(f"convert_tokens_to_ids takes a token or a list of tokens, not {tokens!r:.80}.")

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        """The token of an id, or the tokens of several. Raises TokenizerError for an id that has none."""
        single = isinstance(ids, int)
        wanted = id_list(ids)
        check_ids(wanted)
        skipped = set(self.all_special_ids) if skip_special_tokens else ()
        tokens = [self._token_of(index) for index in wanted if single or index not in skipped]
        return tokens[0] if single else tokens

    def _token_of(self, index: int) -> str:
        added = self._added.get(index)
        token = self._convert_id_to_token(index) if added is None else added.content
        if token is None:
            raise TokenizerError(f"Id {index} is outside the vocabulary, whose {len(self)} ids count from 0.")
        return token

    # Text to ids

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """The tokens of a text: added tokens whole, the rest as ``_tokenize`` splits it."""
        split_special = kwargs.pop("split_special_tokens", self.split_special_tokens)
        tokens: list[str] = []
        for each in [text] if pair is None else [text, pair]:
            prepared, rest = self.prepare_for_tokenization(each, **kwargs)
            for piece, added in self._cut_at_added(prepared, split_special):
                tokens += [piece] if added else self._tokenize(piece, **rest)
        return tokens

    def _cut_at_added(self, text: str, split_special: bool) -> list[tuple[str, bool]]:
        """``text`` cut at added tokens: (piece, whether it is an added token). The longest match wins."""
        if not self._added_ids or not text:
            return [(text, False)] if text else []
        if self._splitter is None:
            names = sorted(self._added_ids, key=len, reverse=True)
            self._splitter = re.compile("|".join(map(re.escape, names)))
        pieces: list[tuple[str, bool]] = []
        start = 0
        for match in self._splitter.finditer(text):
            token = self._added[self._added_ids[match.group()]]
            if split_special and token.special:
                continue
            if token.single_word and not _stands_alone(text, *match.span()):
                continue
            begin, end = match.span()
            begin = max(begin, start)
            before = text[start:begin]
            pieces.append((before.rstrip() if token.lstrip else before, False))
            if token.rstrip:
                while end < len(text) and text[end].isspace():
                    end += 1
            pieces.append((match.group(), True))
            start = end
        pieces.append((text[start:], False))
        return [(piece, added) for piece, added in pieces if piece]

    def _text_ids(self, text: Any, options: CallOptions, extra: Mapping[str, Any]) -> list[int]:
        settings = {"split_special_tokens": options.split_special_tokens, **extra}
        if not options.is_split_into_words:
            return list(self.convert_tokens_to_ids(self.tokenize(text, **settings)))
        tokens = [
            token for word in text for token in self.tokenize(word, is_split_into_words=True, **settings)
        ]
        return list(self.convert_tokens_to_ids(tokens))

    def _target_form(self) -> PreTrainedTokenizer:
        """The tokenizer for ``text_target``: a shallow copy with other settings, where they differ."""
        return self

    def _call_extras(self, extra: Mapping[str, Any]) -> dict[str, Any]:
        return dict(extra)

    def _encode_batch(
        self, inputs: list[Any], options: CallOptions, *, single: bool, **kwargs: Any
    ) -> BatchEncoding:
        if options.return_offsets_mapping:
            raise TokenizerError(
                f"{type(self).__name__} records no offsets: return_offsets_mapping cannot be."
            )
        form = self._target_form() if options.target else self
        rows = []
        for item in inputs:
            first, second = item if isinstance(item, tuple) else (item, None)
            rows.append(
                form.prepare_for_model(
                    form._text_ids(first, options, kwargs),
                    None if second is None else form._text_ids(second, options, kwargs),
                    add_special_tokens=options.add_special_tokens,
                    truncation=options.truncation,
                    max_length=options.max_length,
                    stride=options.stride,
                    return_token_type_ids=options.return_token_type_ids,
                    return_attention_mask=options.return_attention_mask,
                    return_overflowing_tokens=options.return_overflowing_tokens,
                    return_special_tokens_mask=options.return_special_tokens_mask,
                    verbose=False,
                )
            )
        pairs = 2 if inputs and isinstance(inputs[0], tuple) else 1
        if not rows:
            return BatchEncoding({"input_ids": []}, n_sequences=pairs)
        columns: dict[str, Any] = {key: [row[key] for row in rows] for key in rows[0]}
        if options.padding != "do_not_pad":
            columns = dict(
                self.pad(
                    columns,
                    padding=options.padding,
                    max_length=options.max_length,
                    pad_to_multiple_of=options.pad_to_multiple_of,
                    padding_side=options.padding_side,
                    return_attention_mask=options.return_attention_mask,
                )
            )
        if options.return_length:
            columns["length"] = [len(row) for row in columns["input_ids"]]
        if single and options.return_overflowing_tokens and options.return_tensors is None:
            columns = {key: value[0] for key, value in columns.items()}
        return BatchEncoding(columns, n_sequences=pairs)

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        return self._decode_spaced(ids, skip_special_tokens=skip_special_tokens, **kwargs)

    # Special tokens around the texts

    def _frame(self, pair: bool) -> Frame:
        places = [
            (
                part.sequence,
                0 if part.sequence is not None else self.convert_tokens_to_ids(part.token),
                part.segment,
            )
            for part in parse(self.template[pair], self)
        ]
        return frame(places)

    def _write_vocabulary(self, folder: str, prefix: str | None, texts: Mapping[str, str]) -> tuple[str, ...]:
        """Write vocabulary files, by their keywords in ``vocab_files_names``."""
        written = []
        for key, text in texts.items():
            path = Path(folder) / f"{f'{prefix}-' if prefix else ''}{self.vocab_files_names[key]}"
            path.write_text(text, encoding="utf-8")
            written.append(str(path))
        return tuple(written)


def _stands_alone(text: str, begin: int, end: int) -> bool:
    def letter(position: int) -> bool:
        return 0 <= position < len(text) and (text[position].isalnum() or text[position] == "_")

    return not letter(begin - 1) and not letter(end)


class VocabularyTokenizer(PreTrainedTokenizer):
    """A tokenizer in Python whose tokens and ids stand in a dict, ``self.encoder``."""

    encoder: dict[str, int]

    def __init__(self, encoder: Mapping[str, int], **kwargs: Any) -> None:
        self.encoder = dict(encoder)
        self._names = {index: token for token, index in self.encoder.items()}
        super().__init__(**kwargs)

    @property
    def vocab_size(self) -> int:
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        return {**self.encoder, **self._added_ids}

    def _convert_token_to_id(self, token: str) -> int | None:
        found = self.encoder.get(token)
        if found is None and self.unk_token is not None:
            found = self.encoder.get(self.unk_token, self._added_ids.get(self.unk_token))
        return found

    def _convert_id_to_token(self, index: int) -> str | None:
        return self._names.get(index, self.unk_token)
