"""VITS: padding, rates and speakers; flows that undo themselves; older checkpoints; its tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from zoo_audio.tokenizers.speech import VitsTokenizer
from zoo_audio.vits.config import VitsConfig
from zoo_audio.vits.model import VitsModel
from zoo_audio.vits.spline import spline_inverse
from zoo_core import AutoModelForTextToWaveform

IDS = torch.tensor([[5, 9, 23, 11, 30], [17, 3, 2, 0, 0]])


@pytest.fixture
def model() -> VitsModel:
    torch.manual_seed(0)
    config = VitsConfig(
        hidden_size=8,
        num_hidden_layers=1,
        ffn_dim=8,
        flow_size=8,
        spectrogram_bins=5,
        upsample_initial_channel=8,
        upsample_rates=[4],
        upsample_kernel_sizes=[8],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]],
        duration_predictor_num_flows=2,
        prior_encoder_num_flows=2,
        prior_encoder_num_wavenet_layers=2,
        posterior_encoder_num_wavenet_layers=1,
        num_speakers=3,
        speaker_embedding_size=4,
        initializer_range=0.5,
    )
    model = VitsModel(config).eval()
    model.noise_scale = model.noise_scale_duration = 0.0
    return model


@torch.no_grad()
def test_padding_changes_nothing(model: VitsModel) -> None:
    both = model(IDS, (IDS != 0).long(), speaker_id=torch.tensor([1, 2]))
    for row, (length, speaker) in enumerate(((5, 1), (3, 2))):
        alone = model(IDS[row : row + 1, :length], speaker_id=speaker)
        samples = int(alone.sequence_lengths)
        assert samples == both.sequence_lengths[row]
        frames = samples // 4
        assert torch.allclose(both.spectrogram[row, :, :frames], alone.spectrogram[0], atol=1e-5)
        assert (both.spectrogram[row, :, frames:] == 0).all()


@torch.no_grad()
def test_faster(model: VitsModel) -> None:
    slow = int(model(IDS[:1]).sequence_lengths)
    model.speaking_rate = 4.0
    assert int(model(IDS[:1]).sequence_lengths) < slow


@torch.no_grad()
def test_the_flow_is_undone(model: VitsModel) -> None:
    latents, _, _ = model.posterior_encoder(torch.randn(1, 5, 6), torch.ones(1, 1, 6), model.speaker(2))
    for condition in (None, model.speaker(1)):
        there = model.flow(latents, torch.ones(1, 1, 6), condition)
        back = model.flow(there, torch.ones(1, 1, 6), condition, reverse=True)
        assert torch.allclose(back, latents, atol=1e-5) and not torch.allclose(there, latents, atol=1e-2)


def test_splines_rise_from_bound_to_bound() -> None:
    torch.manual_seed(0)
    shape = torch.randn(1, 10), torch.randn(1, 10), torch.randn(1, 9)
    values = torch.linspace(-6, 6, 241)
    found = spline_inverse(values, *(part.expand(241, -1) for part in shape), 5.0)
    assert (found.diff() > 0).all() and torch.equal(found[values.abs() > 5], values[values.abs() > 5])
    assert found[20] == pytest.approx(-5) and found[220] == pytest.approx(5)


def test_weight_norm_of_older_files(model: VitsModel, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    weights = load_file(tmp_path / "model.safetensors")
    for new, old in names.items():
        weights = {name.replace(new, old): value for name, value in weights.items()}
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    back, info = AutoModelForTextToWaveform.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), back.parameters(), strict=True))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, ValueError, "pass input_ids"),
        ({"input_ids": IDS, "speaker_id": 3}, ValueError, r"speaker_id=\[3\].* are 0 to 2"),
        ({"input_ids": IDS, "labels": IDS}, NotImplementedError, "leave out labels"),
    ],
)
def test_refused(model: VitsModel, given: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        model(**given)


@pytest.fixture
def vocabulary(tmp_path: Path) -> Path:
    path = tmp_path / "vocab.json"
    path.write_text(json.dumps({token: i for i, token in enumerate("_abcé Ç")}))
    return path


@pytest.mark.parametrize(
    ("options", "text", "ids"),
    [
        ({}, "AB, c", [0, 1, 0, 2, 0, 5, 0, 3, 0]),
        ({"add_blank": False}, "AB, c!", [1, 2, 5, 3]),
        ({"add_blank": False}, "ÇAÉ", [6, 1, 4]),
        ({"add_blank": False, "normalize": False}, "Aa", [7, 1]),
    ],
)
def test_tokens(vocabulary: Path, options: dict, text: str, ids: list[int]) -> None:
    tokenizer = VitsTokenizer(vocabulary, pad_token="_", phonemize=False, **options)
    assert tokenizer(text)["input_ids"] == ids


def test_other_letters(vocabulary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uroman", None)
    tokenizer = VitsTokenizer(vocabulary, pad_token="_", phonemize=False, is_uroman=True, add_blank=False)
    with pytest.warns(UserWarning, match=r"pip install 'zoo-audio\[romanise\]'"):
        assert tokenizer("aß")["input_ids"] == [1]
