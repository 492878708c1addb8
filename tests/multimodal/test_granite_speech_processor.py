"""Granite Speech's processor: as many placeholders as the model makes features of a sound."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from zoo_audio.features.granite import GraniteSpeechFeatureExtractor
from zoo_core.errors import ProcessingError
from zoo_multimodal.granite_speech.processor import GraniteSpeechProcessor


class Words(SimpleNamespace):
    """A tokenizer that returns its texts."""

    def __call__(self, texts: list[str], **options: Any) -> dict[str, Any]:
        return {"input_ids": texts}


@pytest.fixture
def processor() -> GraniteSpeechProcessor:
    return GraniteSpeechProcessor(GraniteSpeechFeatureExtractor(), Words())


def test_marks_become_placeholders(processor: GraniteSpeechProcessor) -> None:
    batch = processor(["<|audio|> a", "b <|audio|>"], [torch.zeros(16000), torch.ones(4000)])
    assert [text.count("<|audio|>") for text in batch["input_ids"]] == [12, 3]
    assert batch["input_features"].shape == (2, 50, 160)
    assert batch["input_features_mask"].sum(1).tolist() == [12, 3]


def test_marks_and_sounds_must_agree(processor: GraniteSpeechProcessor) -> None:
    with pytest.raises(ProcessingError, match="numbers must agree"):
        processor(["<|audio|>", "b"], [torch.zeros(16000)] * 2)
    with pytest.raises(ProcessingError, match="needs text"):
        processor(audio=torch.zeros(16000))


def test_settings_of_the_spectrogram_can_be_given_apart(tmp_path: Path) -> None:
    extractor = GraniteSpeechFeatureExtractor(n_mels=40)
    extractor.save_pretrained(tmp_path)
    again = GraniteSpeechFeatureExtractor.from_pretrained(tmp_path)
    assert again.melspec_kwargs["n_mels"] == 40 and again.to_dict() == extractor.to_dict()
    assert "padding_side" not in again.to_dict()
