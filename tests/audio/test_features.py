"""Sounds that can be taken, sounds that cannot, padding, resampling and files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from zoo_audio.features.base import AudioFeatureExtractor
from zoo_audio.features.files import read_sound, write_wav
from zoo_audio.features.kaldi import Speech2TextFeatureExtractor
from zoo_audio.features.log_mel import WhisperFeatureExtractor
from zoo_audio.features.resample import resample
from zoo_audio.features.waveform import EncodecFeatureExtractor, Wav2Vec2FeatureExtractor
from zoo_core.errors import ConfigError, ProcessingError

RAW = Wav2Vec2FeatureExtractor(do_normalize=False)
GOOD = np.linspace(-1, 1, 50, dtype="float32")


def with_nan() -> np.ndarray:
    sound = GOOD.copy()
    sound[7] = np.nan
    return sound


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (with_nan(), r"item 1 of 2: the audio holds NaN or infinity"),
        (np.full(3, np.inf), r"item 1 of 2: the audio holds NaN or infinity"),
        (np.zeros(0, "float32"), r"item 1 of 2: the audio is empty"),
        (np.zeros((2, 9), "float32"), r"item 1 of 2: only mono-channel audio is taken.*\(2, 9\)"),
        (5, r"item 1 of 2: audio must be numbers, got int64 of shape \(\)"),
        (b"", r"item 1 of 2: the sound has 0 bytes"),
        (np.array(["a"]), r"item 1 of 2: audio must be numbers"),
        ({"array": GOOD, "sampling_rate": 8000}, r"item 1 of 2: .*8000 Hz.*16000 Hz; pass resample=True"),
        ("/nowhere/x.wav", r"item 1 of 2: there is no sound file /nowhere/x\.wav"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", r"item 1 of 2: the sound is not a complete WAV file"),
    ],
)
def test_refused_sounds(bad: object, message: str) -> None:
    with pytest.raises(ProcessingError, match=message):
        RAW([GOOD, bad], sampling_rate=16000)


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"padding": "most"}, ProcessingError, "padding='most' is not known"),
        ({"truncation": True}, ProcessingError, "truncation=True needs max_length"),
        ({"paddding": True}, TypeError, "no keyword 'paddding'; did you mean 'padding'"),
        ({"return_tensors": "pt"}, ProcessingError, "cannot become one array"),
        ({"sampling_rate": 8000}, ProcessingError, "sampled at 8000 Hz, this model takes 16000 Hz"),
    ],
)
def test_refused_calls(kwargs: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        RAW([GOOD, GOOD[:20]], **kwargs)


@pytest.mark.parametrize("settings", [{"sampling_rate": 0}, {"padding_side": "top"}])
def test_refused_settings(settings: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        Wav2Vec2FeatureExtractor(**settings)


@pytest.mark.parametrize("short", [Speech2TextFeatureExtractor(), WhisperFeatureExtractor()])
def test_a_sound_shorter_than_a_frame_is_named(short: AudioFeatureExtractor) -> None:
    with pytest.raises(ProcessingError, match="samples are"):
        short(GOOD, padding=True)


@pytest.mark.parametrize(
    "given",
    [GOOD, torch.from_numpy(GOOD), GOOD.tolist(), GOOD[None], [GOOD], {"array": GOOD}, GOOD.astype(float)],
    ids=["array", "tensor", "numbers", "batch", "list", "mapping", "double"],
)
def test_forms_of_one_sound(given: object) -> None:
    np.testing.assert_allclose(RAW(given, return_tensors="np")["input_values"], GOOD[None], atol=1e-6)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_side_and_normalisation(side: str) -> None:
    extractor = Wav2Vec2FeatureExtractor(padding_side=side, return_attention_mask=True)
    out = extractor([GOOD, GOOD[:20]], padding=True, pad_to_multiple_of=8, return_tensors="pt")
    assert out.input_values.shape == (2, 56)
    real = out.input_values[1][out.attention_mask[1].bool()]
    assert len(real) == 20
    assert out.attention_mask[1, 0 if side == "right" else -1] == 1
    torch.testing.assert_close(real.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(real.std(correction=0), torch.tensor(1.0), atol=1e-5, rtol=0)


def test_pad_joins_what_was_made_one_by_one() -> None:
    single = [dict(RAW(sound, return_tensors=None)) for sound in (GOOD, GOOD[:20])]
    joined = RAW.pad([{"input_values": one["input_values"][0]} for one in single], return_tensors="pt")
    together = RAW([GOOD, GOOD[:20]], padding=True, return_tensors="pt")
    assert torch.equal(joined.input_values, together.input_values)


def test_chunks_of_a_codec() -> None:
    codec = EncodecFeatureExtractor(sampling_rate=100, chunk_length_s=0.2, overlap=0.5)
    out = codec([GOOD, GOOD[:5]], return_tensors="pt")
    assert out.input_values.shape == (2, 1, 50)  # one chunk of 20, and steps of 10
    assert out.padding_mask.sum(1).tolist() == [50, 5]


def test_batches_do_not_change_a_clip() -> None:
    extractor = WhisperFeatureExtractor(chunk_length=1)
    sounds = np.random.RandomState(0).standard_normal((2, 16000)).astype("float32")
    together = extractor(list(sounds), return_tensors="pt").input_features
    assert torch.equal(together[1:], extractor(sounds[1], return_tensors="pt").input_features)


@pytest.mark.parametrize(("source", "target"), [(8000, 16000), (44100, 16000), (16000, 22050)])
def test_resampling_keeps_a_tone(source: int, target: int) -> None:
    def tone(rate: int) -> torch.Tensor:
        return torch.sin(2 * np.pi * 440 * torch.arange(rate // 4, dtype=torch.float64) / rate).float()

    found = resample(tone(source), source, target)
    middle = slice(target // 50, target // 5)
    torch.testing.assert_close(found[middle], tone(target)[middle], atol=2e-2, rtol=0)
    out = Wav2Vec2FeatureExtractor(sampling_rate=target)(
        tone(source), sampling_rate=source, resample=True, return_tensors="pt"
    )
    assert out.input_values.shape[1] == len(found)


def test_wav_files(tmp_path: Path) -> None:
    stereo = np.stack([GOOD, -GOOD], axis=1)
    write_wav(tmp_path / "a.wav", stereo, 16000)
    samples, rate = read_sound(tmp_path / "a.wav")
    assert rate == 16000
    np.testing.assert_allclose(samples, stereo, atol=1e-4)
    write_wav(tmp_path / "b.wav", GOOD, 16000)
    from_file = RAW(str(tmp_path / "b.wav"), return_tensors="np")["input_values"]
    np.testing.assert_allclose(from_file[0], GOOD, atol=1e-4)
    cut = (tmp_path / "a.wav").read_bytes()[:-10]
    with pytest.raises(ProcessingError, match="truncated: 200 bytes of samples promised, 190 there"):
        read_sound(cut)
