"""Qwen2-Audio's processor: a placeholder for each feature of a sound, framed once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zoo_core import AutoProcessor
from zoo_core.errors import ProcessingError

SOUND = np.sin(np.arange(3000) / 9).astype("float32")
MARKS = ["<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    tokenizer = {
        "version": "1.0",
        "added_tokens": [{"id": 3 + i, "content": mark, **flags} for i, mark in enumerate(["<pad>", *MARKS])],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "[U]": 2}, "unk_token": "[U]"},
    }
    files = {
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"},
        "preprocessor_config.json": {
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": 8,
            "processor_class": "Qwen2AudioProcessor",
        },
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


def test_each_mark_becomes_the_features_of_its_sound(folder: Path) -> None:
    processor = AutoProcessor.from_pretrained(folder)
    texts = ["a <|audio_bos|><|AUDIO|><|audio_eos|> b", "<|AUDIO|> a"]
    inputs = processor(texts, [SOUND, SOUND[:2000]], sampling_rate=16000, padding=True, return_tensors="pt")
    assert inputs.input_ids.tolist() == [[0, 5, 4, 4, 4, 4, 4, 6, 1], [5, 4, 4, 4, 6, 0, 3, 3, 3]]
    assert inputs.feature_attention_mask.sum(1).tolist() == [19, 13]
    assert inputs.input_features.shape == (2, 8, 3000)


def test_numbers_must_agree(folder: Path) -> None:
    with pytest.raises(ProcessingError, match="for 1 sound; the numbers must agree"):
        AutoProcessor.from_pretrained(folder)("<|AUDIO|> <|AUDIO|>", SOUND, sampling_rate=16000)
