"""Dia's processor: codes late by their delays, labels, and sound of codes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from zoo_audio.dia.processor import DiaProcessor
from zoo_audio.features.files import read_sound
from zoo_audio.features.waveform import DiaFeatureExtractor
from zoo_audio.tokenizers.speech import DiaTokenizer
from zoo_core.errors import ProcessingError

BOS, PAD, EOS = 18, 17, 16
KEYS: dict[str, Any] = {"delay_pattern": [0, 2, 3], "eos_token_id": EOS, "pad_token_id": PAD}
KEYS["bos_token_id"] = BOS


class Codec:
    """Frames of eight samples, whose codes count them; sound that says which codes there were."""

    device = torch.device("cpu")

    def encode(self, wave: torch.Tensor) -> Any:
        frames = wave.shape[-1] // 8
        return SimpleNamespace(audio_codes=torch.arange(3 * frames).view(1, 3, frames) % 10)

    def decode(self, audio_codes: torch.Tensor) -> Any:
        return SimpleNamespace(audio_values=audio_codes[:, 0].float() / 10)


@pytest.fixture
def processor() -> DiaProcessor:
    extractor = DiaFeatureExtractor(hop_length=8, sampling_rate=44100)
    return DiaProcessor(extractor, DiaTokenizer(), audio_tokenizer=Codec())


def test_text_alone_begins_with_the_start(processor: DiaProcessor) -> None:
    batch = processor(["[S1] hi", "[S2] hello"], **KEYS)
    assert batch["input_ids"][0].tolist() == [1, 32, 104, 105, 0, 0, 0]
    assert batch["decoder_input_ids"][1].tolist() == [
        [BOS, BOS, BOS],
        [PAD, BOS, BOS],
        [PAD, BOS, BOS],
        [PAD, PAD, BOS],
    ]


def test_a_voice_is_delayed_and_becomes_labels(processor: DiaProcessor) -> None:
    sounds = [np.zeros(24, "float32"), np.zeros(10, "float32")]
    batch = processor(["a", "b"], audio=sounds, **KEYS)
    assert batch["decoder_input_ids"][0, :, 0].tolist() == [BOS, 0, 1, 2, PAD, PAD, PAD]
    assert batch["decoder_input_ids"][0, :, 1].tolist() == [BOS, BOS, BOS, 3, 4, 5, PAD]
    assert batch["decoder_attention_mask"].tolist() == [[1] * 7, [0, 1, 1, 1, 1, 1, 1]]
    assert processor.get_audio_prompt_len(batch["decoder_attention_mask"], **KEYS) == 4
    batch = processor(["a", "b"], audio=sounds, generation=False, output_labels=True, **KEYS)
    assert batch["labels"].shape == (6, 7) and batch["decoder_input_ids"].shape == (2, 7, 3)
    assert batch["labels"][1].tolist() == [-100, -100, 3, 4, 5, EOS, -100]


def test_codes_become_sound(processor: DiaProcessor, tmp_path: Path) -> None:
    sounds = [np.zeros(24, "float32"), np.zeros(10, "float32")]
    ids = processor(["a", "b"], audio=sounds, generation=False, **KEYS)["decoder_input_ids"]
    first, second = processor.batch_decode(ids, **KEYS)
    assert torch.allclose(first, torch.tensor([0.0, 0.1, 0.2])) and second.tolist() == pytest.approx([0, 0.1])
    assert len(processor.decode(ids[:1], 2, **KEYS)) == 2
    processor.save_audio([first, second], [tmp_path / "a.wav", tmp_path / "b.wav"])
    samples, rate = read_sound(tmp_path / "a.wav")
    assert rate == 44100 and samples.ravel() == pytest.approx([0, 0.1, 0.2], abs=1e-3)


def test_impossible_calls_say_what_works(processor: DiaProcessor) -> None:
    for kwargs, message in [
        ({"output_labels": True}, "generation=False"),
        ({"output_labels": True, "generation": False}, "needs audio"),
        ({"audio": [np.zeros(8, "float32")] * 2}, "1 texts came with 2 sounds"),
        ({"return_tensors": "np"}, "return_tensors='pt'"),
    ]:
        with pytest.raises(ProcessingError, match=message):
            processor(["a"], **kwargs, **KEYS)
    silent = DiaProcessor(processor.feature_extractor, processor.tokenizer)
    with pytest.raises(ProcessingError, match="needs its codec"):
        silent(["a"], audio=[np.zeros(8, "float32")], **KEYS)
