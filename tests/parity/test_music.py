"""Jukebox's codes, sounds, losses and seeded samples are the reference's."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo_audio.jukebox.model import JukeboxModel
from zoo_audio.tokenizers.jukebox import JukeboxTokenizer
from zoo_core import AutoConfig, AutoModel, AutoTokenizer
from zoo_core.errors import ConfigError, ProcessingError, TokenizerError

FOLDER = Path(__file__).parent / "music"
CASES = {name: json.loads((FOLDER / f"jukebox_{name}.json").read_text()) for name in ("encoder", "merged")}
SPELT = json.loads((FOLDER / "jukebox_labels.json").read_text())
AUDIO = torch.sin(torch.arange(64) * 0.3).view(1, -1, 1) * torch.tensor([1.0, 0.5]).view(2, 1, 1)


def tokens(name: str, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.RandomState(zlib.crc32(name.encode())).randint(0, 24, shape))


@pytest.fixture(scope="module", params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jukebox")


@pytest.fixture(scope="module")
def models() -> dict[str, JukeboxModel]:
    return {}


@pytest.fixture
def model(
    name: str, folders: Path, models: dict[str, JukeboxModel], write_checkpoint: Callable[..., Any]
) -> JukeboxModel:
    if name not in models:
        write_checkpoint(CASES[name], folders / name)
        models[name] = AutoModel.from_pretrained(folders / name)
    torch.manual_seed(3)
    return models[name]


@pytest.fixture
def answers(name: str) -> dict[str, Any]:
    return CASES[name]["answers"]  # type: ignore[no-any-return]


@pytest.fixture
def labels(name: str) -> list[torch.Tensor]:
    rows = torch.tensor(CASES[name]["labels"])
    return [rows, rows[:, :6], rows[:, :6]]


def near(found: torch.Tensor, expected: Any) -> None:
    torch.testing.assert_close(found.double(), torch.tensor(expected).double(), atol=2e-4, rtol=1e-4)


@torch.no_grad()
def test_vqvae(model: JukeboxModel, answers: dict[str, Any]) -> None:
    codes = model.encode(AUDIO, bs_chunks=2)
    assert [z.tolist() for z in codes] == answers["codes"]
    for level, sound in enumerate(answers["sounds"]):
        near(model.decode(codes[level:], start_level=level)[:, :8, 0], sound)
    again, loss = model.vqvae(AUDIO)
    for level, sound in enumerate(again):
        torch.testing.assert_close(sound, model.decode(codes[level:], start_level=level))
    assert loss > 0
    assert model.vqvae.sample(2).shape == (2, 256, 1)


@torch.no_grad()
def test_losses(model: JukeboxModel, answers: dict[str, Any], labels: list[torch.Tensor]) -> None:
    top, middle, _ = model.priors
    metadata = top.get_metadata(labels[0], 0, 2000, 3)
    lower = middle.get_metadata(labels[1], 16, 700, 0)
    assert [metadata.tolist(), lower.tolist()] == answers["metadata"]
    loss, parts = top.forward_tokens(tokens("z", 2, 32)[:1], [], metadata[:1], get_preds=True)
    near(
        torch.stack([loss, parts["encoder_loss"], parts["next_token_prediction_loss"]]),
        answers["losses"],
    )
    near(parts["preds"][0, -3:], answers["preds"])
    loss, parts = middle.forward_tokens(tokens("z", 2, 32), [tokens("up", 2, 16)], lower, get_preds=True)
    near(loss, answers["middle"][0])
    near(parts["preds"][1, -2:], answers["middle"][1])


SAMPLES: dict[str, dict[str, Any]] = {
    "primed": {"prime": 11, "temp": 0.9, "top_p": 0.7, "chunk_size": 4, "sample_tokens": 20},
    "top_k": {"prime": 0, "top_k": 5},
    "conditioned": {"prime": 9, "chunk_size": 4, "sample_tokens": 17},
}


@pytest.mark.parametrize("kind", SAMPLES)
def test_prior_samples(
    model: JukeboxModel, answers: dict[str, Any], labels: list[torch.Tensor], kind: str
) -> None:
    options = dict(SAMPLES[kind])
    given = tokens("z", 2, 32)[:, : options.pop("prime")]
    level = int(kind == "conditioned")
    prior = model.priors[level]
    metadata = prior.get_metadata(labels[level], 16 * level, 700 if level else 2000, 0 if level else 3)
    above = [tokens("up", 2, 16)] if level else None
    found = prior.sample(2, given, above, metadata, **options)
    assert found.tolist() == answers["samples"][kind]


def test_ancestral(model: JukeboxModel, answers: dict[str, Any], labels: list[torch.Tensor]) -> None:
    found = model.ancestral_sample([row[:1] for row in labels], sample_length=128)
    assert [z.tolist() for z in found] == answers["ancestral"]


def test_windows(model: JukeboxModel, answers: dict[str, Any], labels: list[torch.Tensor]) -> None:
    options = {"sample_levels": [0], "sample_length": 16 * 70, "sampling_temperature": 0.7}
    found = model.ancestral_sample(labels, n_samples=2, max_batch_size=1, **options)
    assert found[0].tolist() == answers["windows"][0]


def test_continued(model: JukeboxModel, answers: dict[str, Any], labels: list[torch.Tensor]) -> None:
    given = [tokens("z", 2, 32)[:, :11], None, None]
    found = model.continue_sample(given, labels, sample_levels=[0], sample_length=16 * 45)
    assert found[0].tolist() == answers["continued"][0]


@torch.no_grad()
def test_best_tokens_are_those_of_a_whole_pass(
    model: JukeboxModel, labels: list[torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    prior = model.priors[0]
    for layer in prior.prior.layers:  # the case of merged lyrics is one without `mask`
        monkeypatch.setattr(layer.attn, "causal", True)
    metadata = prior.get_metadata(labels[0], 0, 2000, 0)
    conditions, start, lyrics = prior.get_cond(None, metadata)
    given, conditions = prior._merge(lyrics, tokens("z", 2, 32)[:, :13], conditions)
    told = start, conditions, prior.get_encoder_states(lyrics)
    found = prior.prior.sample(given, *told, top_k=1)
    best = prior.prior(found, *told).argmax(-1)
    assert torch.equal(found[:, given.shape[1] :], best[:, given.shape[1] :])
    for chunk in (1, 5, 13):
        assert torch.equal(found, prior.prior.sample(given, *told, top_k=1, chunk_size=chunk))


def test_levels_follow_each_other(
    model: JukeboxModel, labels: list[torch.Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    codes = model.encode(AUDIO)
    song = model.primed_sample(AUDIO, labels, sample_length=640)
    assert [z.shape[1] for z in song] == [40, 80, 160]
    for level, begun in zip(song, codes[::-1], strict=True):
        assert torch.equal(level[:, : begun.shape[1]], begun)
    finer = model.upsample(song[:1], labels, sample_length=640, sample_tokens=40)
    assert torch.equal(finer[0], song[0])
    assert [z.shape[1] for z in finer] == [40, 40, 40]
    assert model.decode(song[::-1]).shape == (2, 640, 1)
    assert not os.listdir(tmp_path)


def test_sound_through_a_prior(model: JukeboxModel, labels: list[torch.Tensor]) -> None:
    prior = model.priors[1]
    metadata = prior.get_metadata(labels[1], 0, 256, 0)
    sound, loss, parts = prior(AUDIO.repeat(1, 4, 1), metadata, decode=True)
    assert sound.shape == (2, 256, 1)
    loss.backward()
    assert loss.item() == pytest.approx(parts["bpd"].item())


def test_saved_and_read_back(model: JukeboxModel, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    again = AutoModel.from_pretrained(tmp_path)
    assert again.config.to_dict() == model.config.to_dict()
    assert [p.n_ctx for p in again.config.prior_configs] == [32, 32, 32]
    found, expected = again.state_dict(), model.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], expected[key]) for key in found)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda m, x: m.ancestral_sample(x[:1]), "1 tensors for 3 priors"),
        (lambda m, x: m.ancestral_sample(x, n_samples=3), "2 rows"),
        (lambda m, x: m.ancestral_sample(x, n_samples=2, sample_length=3), "token of the coarsest"),
        (lambda m, x: m.ancestral_sample(x, n_samples=2, sampling_temperature=0), "above 0"),
        (lambda m, x: m.ancestral_sample(x, n_samples=2, sample_levels=[4]), "priors 0 to 2"),
        (lambda m, x: m.ancestral_sample(x, n_samples=2, sample_length=64000), "max_duration"),
        (lambda m, x: m.ancestral_sample([x[0] + 9, *x[1:]], n_samples=2, sample_length=64), "There is no"),
        (lambda m, x: m.encode(AUDIO[..., 0]), "shape"),
        (lambda m, x: m.encode(AUDIO[:, :3]), "of a token"),
        (lambda m, x: m.decode([torch.full((1, 4), 99)]), "between 0 and 23"),
        (lambda m, x: m.decode([torch.ones(1, 4).long()], start_level=3), "0 to 3"),
        (lambda m, x: m.priors[1].sample(2, metadata=x[1]), "level above"),
        (lambda m, x: m.priors[0].sample(2), "metadata"),
        (lambda m, x: m.priors[0].get_metadata(x[0][:, :3], 0, 1, 0), "at least 6"),
    ],
)
def test_errors(model: JukeboxModel, labels: list[torch.Tensor], wrong: Any, message: str) -> None:
    with pytest.raises(ProcessingError, match=message):
        wrong(model, labels)


def test_fresh_weights(name: str, labels: list[torch.Tensor]) -> None:
    model = AutoModel.from_config(AutoConfig.for_model(**CASES[name]["config"]))
    assert all(0 <= weight.abs().max() < 3 for weight in model.parameters())
    song = model.ancestral_sample(labels, n_samples=2, sample_length=64)
    assert [z.shape[1] for z in song] == [4, 8, 16]


def test_conditions_of_a_window(model: JukeboxModel) -> None:
    above = tokens("above", 2, 40)
    (found,) = model.priors[1].get_music_tokens_conds([above], 48, 80)
    assert torch.equal(found, above[:, 24:40])
    (found,) = model.priors[1].get_music_tokens_conds([above], 60, 92)
    assert found[:, 10:].eq(0).all() and torch.equal(found[:, :10], above[:, 30:])


def test_priors_one_by_one(name: str) -> None:
    values = dict(CASES[name]["config"])
    expected = AutoConfig.for_model(**values)
    values |= {f"prior_{level}": prior for level, prior in enumerate(values.pop("prior_config_list"))}
    assert AutoConfig.for_model(**values).to_dict() == expected.to_dict()
    again = type(expected).from_configs(expected.prior_configs, expected.vqvae_config, max_duration=50)
    assert again.prior_config_list == expected.prior_config_list


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"prior_config_list": [{"attention_pattern": "x"}] * 3}, "attention_pattern"),
        ({"prior_config_list": [{"encoder_config": 5}] * 3}, "encoder_config"),
        ({"prior_config_list": [{"n_heads": 0}] * 3}, "n_heads"),
        ({"prior_config_list": [3, 4, 5]}, "must hold objects"),
        ({"prior_config_list": [{}]}, "3 priors"),
        ({"prior_0": None}, "must hold objects"),
        ({"nb_priors": 10**9}, "3 levels"),
        ({"nb_priors": 0}, "at least 1"),
        ({"vqvae_config": {"multipliers": [1]}}, "multipliers"),
    ],
)
def test_config_errors(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AutoConfig.for_model("jukebox", **values)


@pytest.fixture(scope="module")
def vocabularies(folders: Path) -> Path:
    for name, entries in SPELT["vocabularies"].items():
        (folders / f"{name}.json").write_text(json.dumps(entries))
    (folders / "tokenizer_config.json").write_text('{"tokenizer_class": "JukeboxTokenizer", "n_genres": 3}')
    return folders


@pytest.mark.parametrize("call", SPELT["calls"], ids=str)
def test_labels(vocabularies: Path, call: dict[str, Any], tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(vocabularies, version=call["version"])
    assert [row.tolist() for row in tokenizer(*call["song"])["input_ids"]] == call["rows"]
    tokenizer.save_pretrained(tmp_path)
    again = JukeboxTokenizer.from_pretrained(tmp_path)
    assert again.version == call["version"]
    assert [row.tolist() for row in again(*call["song"], return_tensors="np")["input_ids"]] == call["rows"]


def test_label_errors(vocabularies: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(vocabularies)
    with pytest.raises(TokenizerError, match="5 genres"):
        tokenizer("a", "one_two_three_four_five")
    with pytest.raises(TokenizerError, match="artist is a string"):
        tokenizer(["a"], "b")
    assert tokenizer._convert_id_to_token(1, [2], [5])[:2] == ("alan jackson", ["rock"])
