"""Processors: sound to features, text to ids, both to features with labels; saved and loaded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo_core import AutoProcessor
from zoo_core.errors import ProcessingError

SOUND = np.sin(np.arange(1600) / 9).astype("float32")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A wav2vec 2.0 checkpoint's processor: a vocabulary of letters and the settings of its features."""
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    files = {
        "vocab.json": {letter: place for place, letter in enumerate(letters)},
        "tokenizer_config.json": {"tokenizer_class": "Wav2Vec2CTCTokenizer"},
        "preprocessor_config.json": {
            "feature_extractor_type": "Wav2Vec2FeatureExtractor",
            "processor_class": "Wav2Vec2Processor",
            "return_attention_mask": True,
        },
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


def test_sound_and_text(folder: Path, tmp_path: Path) -> None:
    processor = AutoProcessor.from_pretrained(folder)
    assert type(processor).__name__ == "Wav2Vec2Processor"
    sounds = [SOUND, SOUND[:900]]
    inputs = processor(sounds, sampling_rate=16000, padding=True, return_tensors="pt")
    assert inputs.input_values.shape == (2, 1600) and inputs.attention_mask.sum(1).tolist() == [1600, 900]
    both = processor(audio=SOUND, text="AB", sampling_rate=16000, return_tensors="pt")
    assert processor.batch_decode(both["labels"]) == ["AB"]
    assert processor(text="AB")["input_ids"] == both["labels"][0].tolist()
    processor.save_pretrained(tmp_path / "saved")
    again = AutoProcessor.from_pretrained(tmp_path / "saved")
    assert torch.equal(again(SOUND, return_tensors="pt").input_values, both["input_values"])


def test_padding_for_training(folder: Path) -> None:
    processor = AutoProcessor.from_pretrained(folder)
    features = [{"input_values": SOUND}, {"input_values": SOUND[:900]}]
    labels = [{"input_ids": [5, 6]}, {"input_ids": [7]}]
    batch = processor.pad(features, labels=labels, padding=True, return_tensors="pt")
    assert batch["input_values"].shape == (2, 1600) and batch["labels"].shape == (2, 2)


def test_nothing_given(folder: Path) -> None:
    with pytest.raises(ProcessingError, match="without audio or text"):
        AutoProcessor.from_pretrained(folder)()


def test_parakeet_merges_repeated_tokens(tmp_path: Path) -> None:
    pieces = [["<unk>", 0.0], ["▁a", -1.0], ["b", -2.0], ["▁", -3.0]]
    tokenizer = {
        "version": "1.0",
        "added_tokens": [{"id": 4, "content": "<pad>", "special": True}],
        "model": {"type": "Unigram", "unk_id": 0, "vocab": pieces},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁"},
        "decoder": {"type": "Metaspace", "replacement": "▁"},
    }
    for entry in tokenizer["added_tokens"]:
        entry.update({"single_word": False, "lstrip": False, "rstrip": False, "normalized": False})
    files = {
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": {"tokenizer_class": "ParakeetTokenizerFast", "pad_token": "<pad>"},
        "preprocessor_config.json": {
            "feature_extractor_type": "ParakeetFeatureExtractor",
            "processor_class": "ParakeetProcessor",
        },
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    processor = AutoProcessor.from_pretrained(tmp_path)
    inputs = processor([SOUND, SOUND[:900]], text=["ab", "a"], sampling_rate=16000)
    assert inputs["labels"].tolist() == [[1, 2], [1, 4]] and inputs["attention_mask"].sum(1)[1] < 11
    assert processor.batch_decode([[4, 1, 1, 4, 2, 2, 4, 2], [1, 4, 1, 1]]) == ["abb", "a a"]
    assert processor.decode([1, 1, 4], group_tokens=False) == "a a"
