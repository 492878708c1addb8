"""Small tokenizers made on the spot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_text.tokenizers.wordpiece import BertTokenizer

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *"abcdefghij",
    "hello",
    "world",
    "##s",
    "##ing",
    "fox",
    ".",
]
CORPUS = [
    "def f(x): return x ** 2",
    "It's 2024 and the fox jumps 123 times.",
    "Ünïcode 😀 text  with   spaces",
] * 20
SPLIT = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+"


@pytest.fixture
def vocab_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def bert(vocab_folder: Path) -> BertTokenizer:
    return BertTokenizer.from_pretrained(vocab_folder)


@pytest.fixture(scope="session")
def split_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A byte-level tokenizer.json whose word split is not GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    path = tmp_path_factory.mktemp("split") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture
def byte_level(split_json: Path) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_file=split_json, eos_token="<|endoftext|>", pad_token="<|endoftext|>"
    )


@pytest.fixture
def write_folder(tmp_path: Path):
    """Write a folder of files, JSON where the value is no text; returns it."""

    def write(**files: object) -> Path:
        folder = tmp_path / "folder"
        folder.mkdir(exist_ok=True)
        for name, value in files.items():
            path = folder / name.replace("__", ".")
            if isinstance(value, bytes):
                path.write_bytes(value)
            else:
                path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def run_python():
    """Run a program in a fresh interpreter; returns what it printed."""

    def run(program: str) -> str:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
