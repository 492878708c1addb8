"""Pop2Piano's extractor, tokenizer and processor give the reference's answers (music/record_pop2piano.py)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import zoo_core
from zoo_core.errors import MissingDependency, ProcessingError, TokenizerError
from zoo_multimodal.pop2piano.feature_extractor import Pop2PianoFeatureExtractor
from zoo_multimodal.pop2piano.processor import Pop2PianoProcessor
from zoo_multimodal.pop2piano.tokenizer import Pop2PianoTokenizer

FOLDER = Path(__file__).parent / "music"
sys.path.insert(0, str(FOLDER))
from record_pop2piano import described, rounded, vocabulary, wave  # noqa: E402

CASES = json.loads((FOLDER / "pop2piano.json").read_text())
SMALL = CASES["sounds"][0]["config"]


@pytest.fixture
def tokenizer(tmp_path: Path) -> Pop2PianoTokenizer:
    return Pop2PianoTokenizer(vocabulary(tmp_path))


@pytest.fixture
def midi(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for pretty_midi that holds what it is given."""
    module = ModuleType("pretty_midi")
    module.Note = SimpleNamespace  # type: ignore[attr-defined]
    module.Instrument = lambda program: SimpleNamespace(program=program, notes=[])  # type: ignore[attr-defined]
    module.PrettyMIDI = lambda **options: SimpleNamespace(  # type: ignore[attr-defined]
        instruments=[], remove_invalid_notes=lambda: None, **options
    )
    monkeypatch.setitem(sys.modules, "pretty_midi", module)


def sounds(case: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Waves, rates and beats as a caller gives them: bare where there is one song."""
    given = [wave(*one) for one in case["waves"]], case["rates"], case["beats"]
    return tuple(one[0] for one in given) if len(case["waves"]) == 1 else given  # type: ignore[return-value]


@pytest.mark.parametrize("case", CASES["sounds"], ids=range(len(CASES["sounds"])))
def test_features(case: dict[str, Any]) -> None:
    audio, rate, beats = sounds(case)
    extractor = Pop2PianoFeatureExtractor(**case["config"])
    got = extractor(audio, rate, beat_times=beats, return_tensors="np", **case["kwargs"])
    assert list(got) == list(case["returns"])
    for name, expected in case["returns"].items():
        answer = described(got[name])
        assert {**answer, "values": None} == {**expected, "values": None}, name
        assert np.allclose(answer["values"], expected["values"], rtol=1e-4, atol=1e-3), name


@pytest.mark.parametrize("case", CASES["notes"], ids=range(len(CASES["notes"])))
def test_notes_to_ids(tokenizer: Pop2PianoTokenizer, case: dict[str, Any]) -> None:
    expected = case["returns"]
    assert dict(tokenizer(np.asarray(case["notes"]), **case["kwargs"])) == expected
    if not case["kwargs"]:
        objects = [SimpleNamespace(start=a, end=b, pitch=c, velocity=d) for a, b, c, d in case["notes"]]
        assert dict(tokenizer(objects)) == expected
        assert tokenizer.encode_plus(objects) == {"token_ids": expected["token_ids"]}
        assert tokenizer.batch_encode_plus([objects])["token_ids"] == [expected["token_ids"]]


@pytest.mark.parametrize("case", CASES["tokens"], ids=range(len(CASES["tokens"])))
def test_ids_to_notes(tokenizer: Pop2PianoTokenizer, case: dict[str, Any]) -> None:
    notes = tokenizer.relative_tokens_ids_to_notes(case["ids"], case["start"], case["cutoff"])
    assert sorted(notes.tolist()) == case["returns"] and notes.shape[1] == 4
    assert notes[:, 0].tolist() == sorted(notes[:, 0])


@pytest.mark.parametrize("case", CASES["songs"], ids=range(len(CASES["songs"])))
def test_songs(tokenizer: Pop2PianoTokenizer, midi: None, case: dict[str, Any]) -> None:
    processor = Pop2PianoProcessor(Pop2PianoFeatureExtractor(), tokenizer)
    found = processor.batch_decode(case["ids"], case["output"])
    assert [rounded(one.instruments[0].notes) for one in found["pretty_midi_objects"]] == case["returns"]
    assert rounded(found["notes"]) == sorted(note for song in case["returns"] for note in song)
    assert list(processor.batch_decode(case["ids"], case["output"], return_midi=False)) == ["notes"]


def test_files_survive(tokenizer: Pop2PianoTokenizer, tmp_path: Path) -> None:
    Pop2PianoProcessor(Pop2PianoFeatureExtractor(**SMALL), tokenizer).save_pretrained(tmp_path / "saved")
    again = zoo_core.AutoProcessor.from_pretrained(tmp_path / "saved")
    assert type(again) is Pop2PianoProcessor and again.feature_extractor.feature_size == 16
    case = CASES["notes"][0]
    audio, rate, beats = sounds(CASES["sounds"][0])
    joined = again(audio, rate, notes=np.asarray(case["notes"]), beat_times=beats)
    assert list(joined) == ["input_features", "beatsteps", "extrapolated_beatstep", "token_ids"]
    assert joined["token_ids"] == case["returns"]["token_ids"] == again(notes=case["notes"])["token_ids"]
    special = again.tokenizer.bos_token_id, again.tokenizer.eos_token_id, again.tokenizer.pad_token_id
    assert special == (194, 195, 197)  # the vocabulary spells its own otherwise: these are added


def test_essentia_finds_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    audio, rate, beats = sounds(CASES["sounds"][0])
    extractor = Pop2PianoFeatureExtractor(**SMALL)
    monkeypatch.setitem(sys.modules, "essentia", None)
    with pytest.raises(MissingDependency, match="pass beat_times"):
        extractor(audio, rate)
    package, standard = ModuleType("essentia"), ModuleType("essentia.standard")
    package.standard = standard  # type: ignore[attr-defined]
    standard.RhythmExtractor2013 = lambda method: (
        lambda sound: (  # type: ignore[attr-defined]
            len(sound),
            beats,
            method,
            [],
            [],
        )
    )
    monkeypatch.setitem(sys.modules, "essentia", package)
    monkeypatch.setitem(sys.modules, "essentia.standard", standard)
    assert extractor.extract_rhythm(audio)[:3] == (16000, beats, "multifeature")
    given = extractor(audio, rate, beat_times=beats)
    assert np.array_equal(extractor(audio, rate)["input_features"], given["input_features"])


def test_another_rate() -> None:
    audio, _, beats = sounds(CASES["sounds"][0])
    extractor = Pop2PianoFeatureExtractor(**SMALL)
    found = extractor([audio, audio], [4000, 8000], beat_times=[beats, beats[:3]])
    assert found["input_features"].shape == (5, 127, 16) and not found["input_features"][[2, 4]].any()
    with pytest.raises(ProcessingError, match="sampled at 8000 Hz"):
        extractor(audio, 8000, beat_times=beats, resample=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"audio": None}, "without audio"),
        ({"beat_times": [0.5]}, "item 0 of 1: a song needs two beats or more"),
        ({"beat_times": [1.0, 0.5]}, "rising times"),
        ({"beat_times": [[0.1, 0.5], [0.1, 0.5]]}, "1 songs, and beat_times of 2"),
        ({"sampling_rate": [4000, 4000]}, "1 songs, and sampling_rate of 2"),
        ({"audio": []}, "the list is empty"),
        ({"audio": np.zeros(0)}, "the audio is empty"),
        ({"steps_per_beat": 0}, "steps_per_beat=0"),
    ],
)
def test_refused_sounds(options: dict[str, Any], message: str) -> None:
    given = {"audio": wave(9000, 0), "sampling_rate": 4000, "beat_times": [0.1, 0.5, 0.9], **options}
    with pytest.raises(ProcessingError, match=message):
        Pop2PianoFeatureExtractor(**SMALL)(**given)


def test_refused_notes(tokenizer: Pop2PianoTokenizer, midi: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TokenizerError, match="rows"):
        tokenizer(np.zeros((2, 3)))
    with pytest.raises(TokenizerError, match="no notes"):
        tokenizer([])
    with pytest.raises(TokenizerError, match="use batch_decode"):
        tokenizer.decode([134])
    with pytest.raises(ProcessingError, match="takes audio with its sampling_rate"):
        Pop2PianoProcessor(Pop2PianoFeatureExtractor(), tokenizer)(np.zeros(100))
    case = CASES["songs"][0]
    output = case["output"]
    with pytest.raises(ProcessingError, match="several songs need attention_mask_beatsteps"):
        tokenizer.batch_decode(
            case["ids"], {k: v for k, v in output.items() if k != "attention_mask_beatsteps"}
        )
    with pytest.raises(ProcessingError, match="7 segments, token_ids of 2"):
        tokenizer.batch_decode(case["ids"][:2], output)
    with pytest.raises(ProcessingError, match="parts 2 songs, beatsteps are of 1"):
        tokenizer.batch_decode(case["ids"], {**output, "beatsteps": output["beatsteps"][:1]})
    with pytest.raises(ProcessingError, match="beatstep has 3 steps"):
        tokenizer.notes_to_midi([[0, 3, 60, 77]], [0.0, 0.5, 1.0])
    monkeypatch.setitem(sys.modules, "pretty_midi", None)
    with pytest.raises(MissingDependency, match="pip install"):
        tokenizer.batch_decode(case["ids"], output)
