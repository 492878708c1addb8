"""CPM-Ant's Chinese words and GPT-NeoX-Japanese's subwords: the longest match in a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from zoo_core.errors import MissingDependency, TokenizerError
from zoo_core.tokenization.batch_encoding import BatchEncoding
from zoo_core.tokenization.loading import read_json
from zoo_core.tokenization.options import CallOptions
from zoo_core.tokenization.pipelines import read_word_list
from zoo_core.tokenization.python import PreTrainedTokenizer, VocabularyTokenizer
from zoo_core.tokenization.saving import copy_files
from zoo_core.tokenization.templates import Template


class CpmAntTokenizer(VocabularyTokenizer):
    """CPM-Ant: words by rjieba, then the longest match of each in the vocabulary (OpenBMB)."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "vocab.txt"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "bod_token": "<d>",
        "eod_token": "</d>",
        "line_token": "</n>",
        "space_token": "</_>",
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    padding_side = "left"
    template: ClassVar[Template] = ("bos $A", "bos $A bos $B")

    def __init__(self, vocab_file: str | Path | None = None, **kwargs: Any) -> None:
        if vocab_file is None:
            raise TokenizerError("CpmAntTokenizer needs vocab.txt.")
        self._file = Path(vocab_file)
        vocab = read_word_list(self._file)
        for setting, written in (("space_token", " "), ("line_token", "\n")):
            name = kwargs.get(setting, self._all_settings()[setting])
            if name in vocab:
                vocab[written] = vocab.pop(name)
        super().__init__(dict(sorted(vocab.items(), key=lambda item: item[1])), **kwargs)
        self._longest = max(map(len, vocab))

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        try:
            import rjieba
        except ImportError as error:
            raise MissingDependency("CPM-Ant reads Chinese words: pip install rjieba") from error
        return [token for word in rjieba.cut(text, False) for token in self._match(word)]

    def _match(self, word: str) -> list[str]:
        tokens = []
        position = 0
        while position < len(word):
            ends = range(min(len(word), position + self._longest), position, -1)
            end = next((end for end in ends if word[position:end] in self.encoder), None)
            tokens.append(str(self.unk_token) if end is None else word[position:end])
            position = position + 1 if end is None else end
        return tokens

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        ends = {self.pad_token_id, self.eos_token_id, self.bos_token_id}
        return super()._decode(
            [index for index in ids if index not in ends], skip_special_tokens=skip_special_tokens, **kwargs
        )

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        name = f"{filename_prefix}-vocab.txt" if filename_prefix else "vocab.txt"
        return copy_files({name: self._file}, Path(save_directory))


class GPTNeoXJapaneseTokenizer(PreTrainedTokenizer):
    """GPT-NeoX-Japanese: the longest match of three signs, signs of emoji.json, bytes for the rest.

    A line of vocab.txt may hold several spellings of one token, the first being the one that is decoded.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "vocab.txt", "emoji_file": "emoji.json"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
    }
    settings: ClassVar[Mapping[str, Any]] = {"do_clean_text": False}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")

    do_clean_text: bool

    def __init__(
        self, vocab_file: str | Path | None = None, emoji_file: str | Path | None = None, **kwargs: Any
    ) -> None:
        if vocab_file is None or emoji_file is None:
            raise TokenizerError("GPTNeoXJapaneseTokenizer needs vocab.txt and emoji.json.")
        if kwargs.get("do_clean_text"):
            raise TokenizerError("do_clean_text=True is not served: clean the text before the call.")
        self._files = {"vocab.txt": Path(vocab_file), "emoji.json": Path(emoji_file)}
        self._spellings: list[list[str]] = [
            [line] if line == "," or "," not in line else line.split(",")
            for line in read_word_list(Path(vocab_file))
        ]
        self._index = {
            spelling: index for index, spellings in enumerate(self._spellings) for spelling in spellings
        }
        table = read_json(Path(emoji_file))
        if not isinstance(table, dict) or not {"emoji", "emoji_inv"} <= table.keys():
            raise TokenizerError(f"{emoji_file} lacks the tables emoji and emoji_inv.")
        self._emoji: dict[str, str] = table["emoji"]
        self._emoji_inverse: dict[str, str] = table["emoji_inv"]
        self._longest = max(map(len, self._index))
        super().__init__(**kwargs)

    @property
    def vocab_size(self) -> int:
        return len(self._spellings)

    def get_vocab(self) -> dict[str, int]:
        return {**self._index, **self._added_ids}

    def _convert_token_to_id(self, token: str) -> int | None:
        return self._index.get(token, self._index.get(str(self.unk_token)))

    def _convert_id_to_token(self, index: int) -> str | None:
        return self._spellings[index][0] if 0 <= index < len(self._spellings) else None

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        for signs, token in _BLANKS:
            for sign in signs:
                text = text.replace(sign, token)
        text = text.replace("\u2014", "ー").replace("\u2212", "ー")
        for sign, token in self._emoji.items():
            text = text.replace(sign, token)
        tokens = []
        position = 0
        while position < len(text):
            found = self._match(text, position)
            tokens += [found] if found else _fallback(text[position])
            position += len(found) or 1
        return tokens

    def _match(self, text: str, position: int) -> str:
        """The token at ``position``: of those of up to three signs the one with the lowest id."""
        reach = self._longest + 1 if text[position] == "<" else 3
        found = ""
        for end in range(min(len(text), position + reach), position, -1):
            piece = text[position:end]
            if piece in self._index:
                if piece.startswith("<") and len(piece) > 2:
                    return piece
                if not found or self._index[piece] < self._index[found]:
                    found = piece
        return found

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        data = bytearray()
        for token in tokens:
            if token.startswith("<|byte") and token.endswith("|>"):
                data.append(int(token[6:-2]))
            else:
                data += self._emoji_inverse.get(token, _WRITTEN.get(token, token)).encode("utf-8")
        return data.decode("utf-8", errors="replace")

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        return copy_files({prefix + name: path for name, path in self._files.items()}, Path(save_directory))


class GPTSanJapaneseTokenizer(GPTNeoXJapaneseTokenizer):
    """GPTSAN-japanese: the same with a start and, between a prefix and the text, a separator.

    The prefix is the first text of each pair in a batch, `prefix_text`, or what precedes a separator in the
    text; its token_type_ids are 1.
    """

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<|nottoken|>",
        "pad_token": "<|separator|>",
        "bos_token": "<|startoftext|>",
        "eos_token": "<|endoftext|>",
        "sep_token": "<|segmenter|>",
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask", "token_type_ids")

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, *, prefix_text: str | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        bos, sep = str(self.bos_token), str(self.sep_token)
        if prefix_text is not None:
            text = f"{prefix_text}{sep}{text}"
        return f"{bos}{text if sep in text else sep + text}", kwargs

    def _encode_batch(
        self, inputs: list[Any], options: CallOptions, *, single: bool, **kwargs: Any
    ) -> BatchEncoding:
        if not single:
            prefix, sep = kwargs.pop("prefix_text", None), str(self.sep_token)
            if prefix is not None:
                if isinstance(prefix, str) or len(prefix) != len(inputs):
                    raise TokenizerError(f"prefix_text must be a list of {len(inputs)} texts, one a row.")
                inputs = list(zip(prefix, inputs, strict=True))
            inputs = [sep.join(item) if isinstance(item, tuple) else item for item in inputs]
        return super()._encode_batch(inputs, options, single=single, **kwargs)

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """1 before the separator, 0 from there on, and where there is none."""
        ids = token_ids_0 + (token_ids_1 or [])
        prefix = ids.index(self.sep_token_id) if self.sep_token_id in ids else 0
        return [1] * prefix + [0] * (len(ids) - prefix)

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        return super()._decode(ids, skip_special_tokens=True, **kwargs)  # none is ever written

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        words: list[str] = []
        for token in tokens:  # a bag stands for three more of what precedes it
            words += words[-1:] * 3 if token == "<|bagoftoken|>" else [token]
        return super().convert_tokens_to_string(words)


_BLANKS = (
    ((" ", "\u3000"), "<SP>"),
    (("\r\n", "\n", "\r"), "<BR>"),
    (("\t",), "<TAB>"),
)
_WRITTEN = {
    "<SP>": " ",
    "<BR>": "\n",
    "<TAB>": "\t",
    "<BLOCK>": "▀",
    "<KIGOU>": "\u01c0",
    "<U2000U2BFF>": "‖",
}
_SIGNS = ((0xC2A1, 0xC2BF), (0xC780, 0xC783), (0xCAB9, 0xCBBF), (0xCC80, 0xCDA2))


def _fallback(char: str) -> list[str]:
    """A sign that the vocabulary lacks: the token of its kind, or its bytes."""
    data = char.encode("utf-8")
    code = int.from_bytes(data, "big")
    if len(data) == 2 and any(first <= code <= last for first, last in _SIGNS):
        return ["<KIGOU>"]
    if len(data) == 3 and 0xE28080 <= code <= 0xE2B07F:
        return ["<U2000U2BFF>"]
    return [f"<|byte{byte}|>" for byte in data]
