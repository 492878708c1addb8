"""Tokenizers without a vocabulary: bytes and code points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from tokenizers import AddedToken

from zoo_core.errors import TokenizerError
from zoo_core.tokenization import PreTrainedTokenizer
from zoo_core.tokenization.byte_tokens import ByteTokenizer
from zoo_core.tokenization.templates import Template


def _wide(token: str) -> AddedToken:
    return AddedToken(token, lstrip=True, rstrip=True, normalized=True, special=True)


class ByT5Tokenizer(ByteTokenizer):
    """ByT5: bytes after three special tokens, ``<extra_id_0>`` and so on after them (Xue et al., 2022)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "eos_token": _wide("</s>"),
        "unk_token": _wide("<unk>"),
        "pad_token": _wide("<pad>"),
    }
    settings: ClassVar[Mapping[str, Any]] = {"extra_ids": 125}
    template: ClassVar[Template] = ("$A eos", "$A eos $B eos")
    offset = 3

    def __init__(self, **kwargs: Any) -> None:
        count = kwargs.get("extra_ids", 125)
        if kwargs.get("additional_special_tokens") is None and count:
            kwargs["additional_special_tokens"] = [f"<extra_id_{index}>" for index in range(count)]
        first = {"pad_token": 0, "eos_token": 1, "unk_token": 2}
        roles = {index: kwargs.get(role) or self.special_tokens[role] for role, index in first.items()}
        kwargs["added_tokens_decoder"] = {**roles, **(kwargs.get("added_tokens_decoder") or {})}
        super().__init__(**kwargs)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Each text with ``</s>`` at its end, unless it ends so already."""
        end = [int(self.convert_tokens_to_ids(self.eos_token))]
        texts = [ids for ids in (token_ids_0, token_ids_1) if ids is not None]
        return [index for ids in texts for index in (ids if ids[-1:] == end else ids + end)]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))


class PerceiverTokenizer(ByteTokenizer):
    """Perceiver: bytes after six special tokens (Jaegle et al., 2021)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "pad_token": "[PAD]",
        "bos_token": "[BOS]",
        "eos_token": "[EOS]",
        "mask_token": "[MASK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
    }
    template: ClassVar[Template] = ("cls $A sep", "cls $A sep $B sep")
    model_max_length = 2048
    offset = 6

    def __init__(self, **kwargs: Any) -> None:
        roles = {
            index: kwargs.get(role) or token
            for index, (role, token) in enumerate(self.special_tokens.items())
        }
        kwargs["added_tokens_decoder"] = {**roles, **(kwargs.get("added_tokens_decoder") or {})}
        super().__init__(**kwargs)


class CanineTokenizer(PreTrainedTokenizer):
    """CANINE: one id per Unicode code point; special tokens are private ones (Clark et al., 2022)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "\ue000",
        "eos_token": "\ue001",
        "sep_token": "\ue001",
        "cls_token": "\ue000",
        "pad_token": "\x00",
        "mask_token": AddedToken("\ue003", lstrip=True, normalized=True, special=True),
    }
    settings: ClassVar[Mapping[str, Any]] = {"add_prefix_space": False}
    template: ClassVar[Template] = ("cls $A sep", "cls $A sep $B:1 sep:1")
    model_max_length = 2048

    @property
    def vocab_size(self) -> int:
        return 0x110000

    def get_vocab(self) -> dict[str, int]:
        own = {chr(code): code for code in range(0x110000)}
        return {**own, **self._added_ids}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return list(text)

    def _convert_token_to_id(self, token: str) -> int | None:
        if len(token) != 1:
            raise TokenizerError(f"CANINE's tokens are single characters, not {token!r}.")
        return ord(token)

    def _convert_id_to_token(self, index: int) -> str | None:
        return chr(index) if index < 0x110000 else None

    def _add_tokens(self, tokens: list[AddedToken], *, special: bool) -> int:
        for token in tokens:
            if len(token.content) == 1 and token.content not in self._added_ids:
                token.special = token.special or special
                self._put(ord(token.content), token)
        longer = [token for token in tokens if len(token.content) != 1]
        return super()._add_tokens(longer, special=special)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        return ()
