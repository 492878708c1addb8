"""MyT5: bytes, rewritten so that morphemes of every language are short (Limisiewicz et al., 2024)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.saving import copy_files
from zoo_text.tokenizers.bytes import ByT5Tokenizer

_BYTES = frozenset(f"{byte:02x}" for byte in range(256))


class ByteRewriter:
    """Replaces runs of bytes, the longest that has a rule at each place; and undoes it.

    rules: run to replacement, bytes in hexadecimal between blanks.
    """

    def __init__(self, rules: Mapping[str, str]) -> None:
        pairs = [(tuple(found.split()), tuple(written.split())) for found, written in rules.items()]
        self._forward = dict(pairs)
        self._back = {written: found for found, written in pairs}

    def rewrite_bytes(self, in_bytes: Sequence[str], reverse: bool = False) -> list[str]:
        """The bytes with every run replaced, from left to right in one pass."""
        rules = self._back if reverse else self._forward
        longest = max(map(len, rules), default=0)
        found: list[str] = []
        start = 0
        while start < len(in_bytes):
            for end in range(min(start + longest, len(in_bytes)), start, -1):
                if (written := rules.get(tuple(in_bytes[start:end]))) is not None:
                    found += written
                    start = end
                    break
            else:
                found.append(in_bytes[start])
                start += 1
        return found


class MyT5Tokenizer(ByT5Tokenizer):
    """MyT5: ByT5's ids over rewritten bytes, whose tokens are two hexadecimal digits."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "byte_maps.json"}

    def __init__(self, vocab_file: str | Path | None = None, **kwargs: Any) -> None:
        if vocab_file is None:
            raise TokenizerError("MyT5Tokenizer needs byte_maps.json.")
        self._file = Path(vocab_file)
        maps = json.loads(self._file.read_text(encoding="utf-8"))
        self.decompose_rewriter, self.merge_rewriter = (
            ByteRewriter(_rules(maps, name)) for name in ("decompose_map", "merge_map")
        )
        super().__init__(**kwargs)

    def get_vocab(self) -> dict[str, int]:
        return {**{f"{byte:02x}": byte + self.offset for byte in range(256)}, **self._added_ids}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return self.morphological_encode([f"{byte:02x}" for byte in text.encode("utf-8")])

    def morphological_encode(self, indices: list[str]) -> list[str]:
        """Bytes of text, in hexadecimal, to tokens."""
        return self.merge_rewriter.rewrite_bytes(self.decompose_rewriter.rewrite_bytes(indices))

    def morphological_decode(self, indices: list[str]) -> list[str]:
        """Tokens to bytes of text."""
        undone = self.merge_rewriter.rewrite_bytes(indices, reverse=True)
        return self.decompose_rewriter.rewrite_bytes(undone, reverse=True)

    def _convert_token_to_id(self, token: str) -> int | None:
        if token in _BYTES:
            return int(token, 16) + self.offset
        return self._added_ids.get(str(self.unk_token))

    def _convert_id_to_token(self, index: int) -> str | None:
        byte = index - self.offset
        return f"{byte:02x}" if 0 <= byte < 256 else None

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        spelt: list[str] = []
        for token in tokens:
            spelt += [token] if token in _BYTES else [f"{byte:02x}" for byte in token.encode("utf-8")]
        data = bytes(int(byte, 16) for byte in self.morphological_decode(spelt))
        return data.decode("utf-8", errors="ignore")

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        name = f"{filename_prefix}-byte_maps.json" if filename_prefix else "byte_maps.json"
        return copy_files({name: self._file}, Path(save_directory))


def _rules(maps: Any, name: str) -> dict[str, str]:
    rules = maps.get(name) if isinstance(maps, dict) else None
    if not isinstance(rules, dict):
        raise TokenizerError(f"byte_maps.json must hold {name}, from runs of bytes to what replaces them.")
    for run in (*rules, *rules.values()):
        if not isinstance(run, str) or not _BYTES.issuperset(run.split()):
            raise TokenizerError(f"byte_maps.json: {name} holds {run!r:.60}; runs are bytes such as 'c5 63'.")
    return rules
