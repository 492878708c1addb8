"""What every tokenizer offers, whatever turns its text into ids."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from tokenizers import AddedToken

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.batch_encoding import BatchEncoding
from zoo_core.tokenization.chat import templates_from_config
from zoo_core.tokenization.conversations import ChatMethods
from zoo_core.tokenization.decoding import check_ids, clean_up, decode_spaced, id_list
from zoo_core.tokenization.files import FileMethods
from zoo_core.tokenization.inputs import read_inputs
from zoo_core.tokenization.options import (
    UNLIMITED,
    CallOptions,
    call_options,
    is_limited,
    logger,
    resolve_lengths,
    side,
)
from zoo_core.tokenization.padding import pad_batch
from zoo_core.tokenization.sequences import SequenceMethods
from zoo_core.tokenization.special_tokens import ROLES, SpecialTokens, as_added_token
from zoo_core.tokenization.tensors import tensor_kind

TextInput = str | Sequence[str] | Sequence[Sequence[str]]

_OUTPUTS = ("input_ids", "token_type_ids", "attention_mask")


class PreTrainedTokenizerBase(SequenceMethods, ChatMethods, FileMethods, SpecialTokens):
    """Text to ids and back.

    A subclass is declared by data: ``vocab_files_names`` (keyword to file name), ``special_tokens`` (role to
    default token), ``settings`` (keyword to default; each becomes an attribute and is saved), and
    ``model_input_names``. Tokenizers may be used from several threads; changing one (adding tokens, setting
    special tokens) is for one thread alone.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[Mapping[str, Any]] = {}
    model_input_names: Sequence[str] = _OUTPUTS
    padding_side: str = "right"
    truncation_side: str = "right"
    slow_tokenizer_class: ClassVar[type | None] = None
    is_fast: ClassVar[bool] = False

    clean_up_tokenization_spaces: bool = False
    split_special_tokens: bool = False
    model_max_length: int = UNLIMITED
    name_or_path: str = ""
    chat_template: str | dict[str, str] | None = None
    init_inputs: tuple[Any, ...] = ()
    init_kwargs: dict[str, Any]

    def __init__(self, **kwargs: Any) -> None:
        self._roles = dict.fromkeys(ROLES)
        self._additional = []
        self._warned: set[str] = set()
        self.init_kwargs = copy.copy(kwargs)
        self._take_special_tokens(kwargs)
        for name, default in self._all_settings().items():
            object.__setattr__(self, name, kwargs.pop(name, default))
        self.padding_side = side("padding_side", kwargs.pop("padding_side", self.padding_side))
        self.truncation_side = side("truncation_side", kwargs.pop("truncation_side", self.truncation_side))
        length = kwargs.pop("model_max_length", None) or kwargs.pop("max_len", None) or self.model_max_length
        if isinstance(length, bool) or not isinstance(length, int | float) or length < 1:
            raise TokenizerError(f"model_max_length is a positive number of tokens, not {length!r}.")
        self.model_max_length = int(length)
        self.model_input_names = list(kwargs.pop("model_input_names", self.model_input_names))
        for name in ("clean_up_tokenization_spaces", "split_special_tokens"):
            if (value := kwargs.pop(name, None)) is not None:
                object.__setattr__(self, name, bool(value))
        self.pad_token_type_id = kwargs.pop("pad_token_type_id", self.pad_token_type_id)
        self.name_or_path = str(kwargs.pop("name_or_path", self.name_or_path))
        self.chat_template = templates_from_config(kwargs.pop("chat_template", None))

    @classmethod
    def _all_settings(cls) -> dict[str, Any]:
        """Settings of the class and its bases, the nearest class deciding."""
        merged: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            merged |= base.__dict__.get("settings", {})
        return merged

    def _take_special_tokens(self, kwargs: dict[str, Any]) -> None:
        defaults = type(self).special_tokens
        for role in dict.fromkeys([*ROLES, *(name for name in defaults if name.endswith("_token"))]):
            self._set_role(role, kwargs.pop(role, defaults.get(role)))
        extra = kwargs.pop("extra_special_tokens", None)
        if extra:
            self._set_extra_roles(extra)
        additional = kwargs.pop("additional_special_tokens", None)
        if additional is None:
            additional = defaults.get("additional_special_tokens", ())
        unique: dict[str, AddedToken] = {}
        for token in (*self._additional, *map(as_added_token, additional)):
            unique.setdefault(token.content, token)
        self._additional = list(unique.values())

    def _adopt_flags(self) -> None:
        """Special tokens are matched as the vocabulary says: its flags replace those of the roles."""
        known = {token.content: token for token in self.added_tokens_decoder.values()}
        for role, token in self._roles.items():
            if token is not None:
                self._roles[role] = known.get(token.content, token)
        self._additional = [known.get(token.content, token) for token in self._additional]

    # The vocabulary: what a subclass provides

    @property
    def vocab_size(self) -> int:
        """Size of the vocabulary without added tokens; ``len(tokenizer)`` counts those too."""
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def get_vocab(self) -> dict[str, int]:
        """Token to id, added tokens included."""
        raise NotImplementedError

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """Id to AddedToken, by id."""
        raise NotImplementedError

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """Added token to id, by id."""
        return {token.content: index for index, token in self.added_tokens_decoder.items()}

    def get_added_vocab(self) -> dict[str, int]:
        """The same as ``added_tokens_encoder``."""
        return self.added_tokens_encoder

    def _has_id(self, index: int) -> bool:
        """Whether an id has a token; a vocabulary with gaps has ids beyond its length."""
        return index < len(self) or index in self.added_tokens_decoder

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Tokens joined into text, as this kind of tokenizer joins them."""
        raise NotImplementedError

    def _encode_batch(self, inputs: list[Any], options: CallOptions, *, single: bool) -> BatchEncoding:
        raise NotImplementedError

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        raise NotImplementedError

    def _decode_spaced(
        self,
        ids: list[int],
        *,
        skip_special_tokens: bool,
        spaces_between_special_tokens: bool = True,
        **kwargs: Any,
    ) -> str:
        """Text in which added tokens beyond the special roles stand apart."""
        return decode_spaced(
            self, ids, skip_special_tokens=skip_special_tokens, spaces=spaces_between_special_tokens
        )

    # Text to ids

    def __call__(
        self,
        text: TextInput | None = None,
        text_pair: TextInput | None = None,
        text_target: TextInput | None = None,
        text_pair_target: TextInput | None = None,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        """Encode one text, a batch, or pairs.

        text: a str, a list of them or of pairs; with ``is_split_into_words`` a list of words, or a batch.
        text_pair: the second text of each pair.
        text_target: texts in the target form (``labels``, where ``text`` is given too).
        padding: True or "longest" (of the batch), "max_length", False.
        truncation: True or "longest_first", "only_first", "only_second", False.
        max_length: in tokens, special ones included; ``model_max_length`` when left out.
        stride: tokens that overflowing rows share with the row before (``return_overflowing_tokens``).
        return_tensors: "pt" or "np"; lists when left out.

        Raises TokenizerError for anything that is not text, for padding without a pad token, and for rows of
        unequal length where tensors are asked for.
        """
        if text is None and text_target is None:
            raise TokenizerError("A tokenizer is called with text, or with text_target: both are None.")
        options = call_options(
            self,
            padding,
            truncation,
            max_length,
            padding_side=padding_side,
            add_special_tokens=add_special_tokens,
            stride=stride,
            pad_to_multiple_of=pad_to_multiple_of,
            is_split_into_words=is_split_into_words,
            return_tensors=return_tensors,
            return_token_type_ids=return_token_type_ids,
            return_attention_mask=return_attention_mask,
            return_overflowing_tokens=return_overflowing_tokens,
            return_special_tokens_mask=return_special_tokens_mask,
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            split_special_tokens=kwargs.pop("split_special_tokens", self.split_special_tokens),
            verbose=verbose,
        )
        result = None if text is None else self._encode(text, text_pair, options, kwargs)
        if text_target is None:
            assert result is not None
            return result
        target = self._encode(text_target, text_pair_target, replace(options, target=True), kwargs)
        if result is None:
            return target
        result["labels"] = target["input_ids"]
        return result

    def _check_padding(self, padding: str) -> None:
        if padding != "do_not_pad" and (self.pad_token is None or self.pad_token_id is None):
            raise TokenizerError(
                f"Padding needs a pad token, and {type(self).__name__} has none: set one, as in "
                "tokenizer.pad_token = tokenizer.eos_token, or "
                'tokenizer.add_special_tokens({"pad_token": "[PAD]"}).'
            )

    def _encode(
        self, text: Any, text_pair: Any, options: CallOptions, extra: Mapping[str, Any]
    ) -> BatchEncoding:
        inputs, single = read_inputs(text, text_pair, is_split_into_words=options.is_split_into_words)
        result = self._encode_batch(inputs, options, single=single, **self._call_extras(extra))
        if options.verbose and not options.truncates and len(inputs):
            longest = max(map(len, result["input_ids"]))
            if is_limited(self.model_max_length) and longest > self.model_max_length:
                self._warn_once(
                    "length",
                    f"{longest} tokens are more than the model takes ({self.model_max_length}): "
                    "indexing errors will follow unless they are truncated.",
                )
        if single and options.return_tensors is None and not options.return_overflowing_tokens:
            rows = {
                key: value[0] if value and isinstance(value[0], list) else value
                for key, value in result.items()
            }
            return BatchEncoding(rows, result.encodings, n_sequences=result.n_sequences)
        return result.convert_to_tensors(options.return_tensors)

    def _call_extras(self, extra: Mapping[str, Any]) -> dict[str, Any]:
        """Keywords of the call that this kind of tokenizer understands; others are named once."""
        if extra:
            self._warn_once("keywords", f"Keyword arguments {sorted(extra)} are not recognised and ignored.")
        return {}

    def _warn_once(self, key: str, message: str) -> None:
        if key not in self._warned:
            self._warned.add(key)
            logger.warning(message)

    def encode(self, text: Any, text_pair: Any = None, **kwargs: Any) -> Any:
        """The ids of one text or pair, as a list or (``return_tensors``) a tensor. Keywords: the call's."""
        return self(text, text_pair, **kwargs)["input_ids"]

    def encode_plus(self, text: Any, text_pair: Any = None, **kwargs: Any) -> BatchEncoding:
        """The call for one text or pair, under its older name."""
        return self(text, text_pair, **kwargs)

    def batch_encode_plus(self, batch_text_or_text_pairs: Any, **kwargs: Any) -> BatchEncoding:
        """The call for a batch, under its older name."""
        return self(batch_text_or_text_pairs, **kwargs)

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        """The tokens of a text, as strings."""
        raise NotImplementedError

    def pad(
        self,
        encoded_inputs: Any,
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """Pad encodings (a mapping of lists, or a list of mappings) to one length: what data collators call.

        Raises TokenizerError without ``input_ids`` (the first of ``model_input_names``) or a pad token.
        """
        pad, _, length = resolve_lengths(
            padding, False, max_length, None, model_max_length=self.model_max_length, verbose=False
        )
        self._check_padding(pad)
        if return_attention_mask is None:
            return_attention_mask = "attention_mask" in self.model_input_names
        return pad_batch(
            self,
            encoded_inputs,
            padding=pad,
            max_length=length,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=side("padding_side", padding_side or self.padding_side),
            return_attention_mask=return_attention_mask,
            return_tensors=tensor_kind(return_tensors),
        )

    # Ids to text

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> str:
        """Ids (an int, a list, an array or a tensor) as text.

        Ids beyond the vocabulary, which a model with padded embeddings can produce, decode to nothing, with a
        warning once; negative ones and other types raise TokenizerError.
        """
        ids = id_list(token_ids)
        check_ids(ids)
        if ids and not self._has_id(max(ids)):
            self._warn_once("ids", f"Ids beyond the vocabulary of {len(self)} tokens decode to nothing.")
            ids = [index for index in ids if self._has_id(index)]
        text = self._decode(ids, skip_special_tokens=skip_special_tokens, **kwargs)
        clean = clean_up_tokenization_spaces
        if clean if clean is not None else self.clean_up_tokenization_spaces:
            text = self.clean_up_tokenization(text)
        return text

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """``decode`` for each row."""
        return [
            self.decode(row, skip_special_tokens, clean_up_tokenization_spaces, **kwargs) for row in sequences
        ]

    @staticmethod
    def clean_up_tokenization(out_string: str) -> str:
        """English text without the blanks that word pieces leave before punctuation and contractions."""
        return clean_up(out_string)

    def __repr__(self) -> str:
        added = "".join(f"\t{index}: {token!r},\n" for index, token in self.added_tokens_decoder.items())
        return (
            f"{type(self).__name__}(name_or_path={self.name_or_path!r}, vocab_size={self.vocab_size}, "
            f"model_max_length={self.model_max_length}, is_fast={self.is_fast}, "
            f"padding_side={self.padding_side!r}, truncation_side={self.truncation_side!r}, "
            f"special_tokens={self.special_tokens_map}, "
            f"clean_up_tokenization_spaces={self.clean_up_tokenization_spaces}, "
            f"added_tokens_decoder={{\n{added}}})"
        )
