"""Words between blanks, numbered by their line in words.txt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from zoo_core.tokenization import PreTrainedTokenizerFast


class BagOfWordsTokenizer(PreTrainedTokenizerFast):
    """Lower-cased words; what words.txt lacks is ``[UNK]``."""

    vocab_files_names = {"vocab_file": "words.txt", "tokenizer_file": "tokenizer.json"}
    model_input_names = ["input_ids", "attention_mask"]

    def __init__(self, *args, unk_token: str = "[UNK]", pad_token: str = "[PAD]", **kwargs) -> None:
        super().__init__(*args, unk_token=unk_token, pad_token=pad_token, **kwargs)

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        words = files["vocab_file"].read_text(encoding="utf-8").splitlines()
        tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.Lowercase()
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        return tokenizer
