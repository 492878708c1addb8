"""One token per byte."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo_core.tokenization.python import PreTrainedTokenizer


class ByteTokenizer(PreTrainedTokenizer):
    """One token per byte of UTF-8, its character the token; ids are shifted by ``offset``."""

    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    offset: int = 0

    @property
    def vocab_size(self) -> int:
        return 256 + self.offset

    def get_vocab(self) -> dict[str, int]:
        own = {chr(byte): byte + self.offset for byte in range(256)}
        return {**own, **self._added_ids}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return [chr(byte) for byte in text.encode("utf-8")]

    def _convert_token_to_id(self, token: str) -> int | None:
        if len(token) == 1 and ord(token) < 256:
            return ord(token) + self.offset
        return self._added_ids.get(str(self.unk_token))

    def _convert_id_to_token(self, index: int) -> str | None:
        byte = index - self.offset
        return chr(byte) if 0 <= byte < 256 else None

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        data = b"".join(
            token.encode("utf-8") if token in self._added_ids or len(token) > 1 else bytes([ord(token)])
            for token in tokens
        )
        return data.decode("utf-8", errors="ignore")

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        return ()
