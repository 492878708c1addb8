"""CLAP: sounds and texts in one call, features of either tower, and input that it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo_core import AutoProcessor
from zoo_core.errors import ConfigError, ProcessingError
from zoo_multimodal.clap.config import ClapAudioConfig, ClapConfig, ClapTextConfig
from zoo_multimodal.clap.model import ClapModel

TEXT = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
AUDIO = {
    "num_mel_bins": 8,
    "spec_size": 32,
    "window_size": 2,
    "patch_embeds_hidden_size": 8,
    "hidden_size": 16,
    "depths": [1, 1],
    "num_attention_heads": [2, 2],
    "enable_fusion": True,
}
SOUND = np.sin(np.arange(4800) / 9).astype("float32")


@pytest.fixture
def model() -> ClapModel:
    torch.manual_seed(0)
    config = ClapConfig.from_text_audio_configs(
        ClapTextConfig(intermediate_size=16, max_position_embeddings=40, **TEXT),
        ClapAudioConfig(**AUDIO),
        projection_dim=6,
    )
    assert config.audio_config.projection_dim == 6 and config.num_hidden_layers == 3
    return ClapModel(config).eval()


def test_features_have_unit_length(model: ClapModel) -> None:
    features = torch.randn(2, 4, 50, 8)
    sounds = model.get_audio_features(features, is_longer=torch.tensor([[True], [False]]))
    texts = model.get_text_features(torch.tensor([[0, 5, 2]]))
    assert torch.allclose(sounds.norm(dim=-1), torch.ones(2)) and texts.shape == (1, 6)
    short = model.get_audio_features(features)
    assert torch.allclose(short[1], sounds[1]) and not torch.allclose(short[0], sounds[0])


def test_a_spectrogram_too_long_is_refused(model: ClapModel) -> None:
    with pytest.raises(ValueError, match="129 frames of 8 mels; the model takes up to 128"):
        model.get_audio_features(torch.zeros(1, 4, 129, 8))


@pytest.mark.parametrize("wrong", [{"num_mel_bins": 7}, {"hidden_size": 24}, {"fusion_type": "channel_map"}])
def test_sizes_that_do_not_fit(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ClapAudioConfig(**{**AUDIO, **wrong})


def test_sounds_and_texts_in_one_call(tmp_path: Path) -> None:
    words = ["<s>", "<pad>", "</s>", "<unk>", "a", "d", "o", "g", "Ġ"]
    files = {
        "vocab.json": {word: place for place, word in enumerate(words)},
        "tokenizer_config.json": {"tokenizer_class": "RobertaTokenizer"},
        "preprocessor_config.json": {
            "feature_extractor_type": "ClapFeatureExtractor",
            "processor_class": "ClapProcessor",
            "truncation": "rand_trunc",
            "max_length_s": 0.1,
        },
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    processor = AutoProcessor.from_pretrained(tmp_path)
    inputs = processor(text=["dog", "a"], audio=[SOUND, SOUND[:900]], padding=True, return_tensors="pt")
    assert inputs["input_ids"].tolist() == [[0, 5, 6, 7, 2], [0, 4, 2, 1, 1]]
    assert inputs["input_features"].shape == (2, 1, 11, 64) and inputs["is_longer"].tolist() == [[False]] * 2
    older = processor(audios=SOUND, return_tensors="pt")
    assert torch.equal(older["input_features"], inputs["input_features"][:1])
    with pytest.raises(ProcessingError, match="without text or audio"):
        processor()
