"""Transformer-XL: whole words by Moses, with the signs inside numbers and compounds set apart."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from zoo_core.errors import TokenizerError, UnsafeCheckpoint
from zoo_core.tokenization.pipelines import read_word_list
from zoo_core.tokenization.python import VocabularyTokenizer
from zoo_text.tokenizers import moses


class TransfoXLTokenizer(VocabularyTokenizer):
    """Transformer-XL: a word is one token (Dai et al., 2019).

    The vocabulary is vocab.txt, one word a line, or vocab.bin where PyTorch can read it without running
    anything; saving writes vocab.txt.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "vocab.txt",
        "pretrained_vocab_file_torch": "vocab.bin",
        "pretrained_vocab_file": "vocab.pkl",
    }
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "eos_token": "<eos>",
        "additional_special_tokens": ("<formula>",),
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "special": [],
        "min_freq": 0,
        "max_size": None,
        "lower_case": False,
        "delimiter": None,
        "never_split": None,
        "language": "en",
    }
    model_input_names: Sequence[str] = ("input_ids",)

    lower_case: bool
    language: str

    def __init__(
        self,
        vocab_file: str | Path | None = None,
        pretrained_vocab_file: str | Path | None = None,
        pretrained_vocab_file_torch: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        if vocab_file is not None:
            words = read_word_list(Path(vocab_file))
        elif pretrained_vocab_file_torch is not None or pretrained_vocab_file is not None:
            words = read_pickled(Path(pretrained_vocab_file_torch or pretrained_vocab_file or ""))
        else:
            raise TokenizerError("TransfoXLTokenizer needs vocab.txt (one word a line) or vocab.bin.")
        super().__init__(words, **kwargs)

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        text = moses.normalize_punctuation(text.lower() if self.lower_case else text, self.language)
        text = " ".join(moses.tokenize(text, self.language, escape=False, part_compounds=True))
        text = re.sub(r"(?<=\d),(?=\d)", " @,@ ", text)
        return re.sub(r"(?<=\d)\.(?=\d)", " @.@ ", text).split()

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Words joined as written text; "@-@", "@,@" and "@.@" join what stands beside them."""
        return re.sub(r" @([-,.])@ ", r"\1", moses.detokenize(tokens, self.language)).strip()

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        text = "".join(f"{word}\n" for word in self.encoder)
        return self._write_vocabulary(save_directory, filename_prefix, {"vocab_file": text})


def read_pickled(path: Path) -> dict[str, int]:
    """The words of a pickled tokenizer, `idx2sym`.

    Raises:
        UnsafeCheckpoint: reading the file would run code, or build more than lists and dictionaries.
    """
    import torch

    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise UnsafeCheckpoint(
            f"{path} is a pickle that is not read: it may run code. If you trust it, write its words once, "
            f"one a line, to {path.with_name('vocab.txt')}: pickle.load(open({path.name!r}, 'rb'))['idx2sym']"
        ) from error
    words = held.get("idx2sym") if isinstance(held, Mapping) else None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise TokenizerError(
            f"{path} has no list of words under 'idx2sym'; write them to vocab.txt, one a line"
        )
    return {word: index for index, word in enumerate(words)}
