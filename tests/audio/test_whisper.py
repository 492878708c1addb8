"""Whisper's first tokens, timestamps, alignment, and the errors of its `generate`."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from zoo_audio.whisper.alignment import median_filter, warp
from zoo_audio.whisper.config import WhisperConfig
from zoo_audio.whisper.model import WhisperForConditionalGeneration
from zoo_audio.whisper.timestamps import TimestampRules
from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationConfig

START, ENGLISH, GERMAN, TRANSLATE, TRANSCRIBE, PLAIN = 20, 21, 22, 23, 24, 25
EOS = 19
SOUNDS = torch.zeros(2, 80, 8)


@pytest.fixture(scope="module")
def model() -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    sizes = dict.fromkeys(("encoder_layers", "decoder_layers"), 1)
    sizes |= dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2)
    config = WhisperConfig(
        vocab_size=40,
        d_model=8,
        encoder_ffn_dim=8,
        decoder_ffn_dim=8,
        max_source_positions=4,
        max_target_positions=30,
        pad_token_id=EOS,
        bos_token_id=EOS,
        eos_token_id=EOS,
        decoder_start_token_id=START,
        begin_suppress_tokens=[EOS, 50000],
        **sizes,
    )
    model = WhisperForConditionalGeneration(config).eval()
    model.generation_config = GenerationConfig.from_model_config(config)
    known = {
        "lang_to_id": {"<|en|>": ENGLISH, "<|de|>": GERMAN},
        "task_to_id": {"transcribe": TRANSCRIBE, "translate": TRANSLATE},
        "no_timestamps_token_id": PLAIN,
        "is_multilingual": True,
        "max_initial_timestamp_index": 3,
    }
    for name, value in known.items():
        setattr(model.generation_config, name, value)
    return model


@pytest.mark.parametrize(
    ("kwargs", "rows"),
    [
        ({"language": "en"}, [[START, ENGLISH, TRANSCRIBE, PLAIN]] * 2),
        ({"language": "German", "task": "translate"}, [[START, GERMAN, TRANSLATE, PLAIN]] * 2),
        (
            {"language": ["<|de|>", "english"]},
            [[START, GERMAN, TRANSCRIBE, PLAIN], [START, ENGLISH, TRANSCRIBE, PLAIN]],
        ),
        ({"language": "en", "return_timestamps": True}, [[START, ENGLISH, TRANSCRIBE]] * 2),
        (
            {"language": "en", "prompt_ids": torch.tensor([3, 4])},
            [[3, 4, START, ENGLISH, TRANSCRIBE, PLAIN]] * 2,
        ),
    ],
)
def test_first_tokens(model: WhisperForConditionalGeneration, kwargs: dict, rows: list[list[int]]) -> None:
    whole = model.generate(SOUNDS, max_new_tokens=3, force_unique_generate_call=True, **kwargs)
    assert whole[:, : len(rows[0])].tolist() == rows
    told = model.generate(SOUNDS, max_new_tokens=3, return_segments=True, **kwargs)
    results = [segments[0]["result"] for segments in told["segments"]]
    assert all(torch.equal(row, result) for row, result in zip(whole, results, strict=True))


def test_the_language_is_heard(model: WhisperForConditionalGeneration) -> None:
    heard = model.detect_language(SOUNDS)
    assert set(heard.tolist()) <= {ENGLISH, GERMAN}
    whole = model.generate(SOUNDS, max_new_tokens=1, force_unique_generate_call=True)
    assert torch.equal(whole[:, 1], heard)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"language": "klingon"}, "knows no language 'klingon'"),
        ({"language": "fr"}, "language='fr' is not one this checkpoint knows"),
        ({"language": ["en"]}, "1 languages for 2 sounds"),
        ({"language": "en", "task": "sing"}, "task='sing' is not known; use transcribe or translate"),
        ({"language": "en", "is_multilingual": False}, "knows English only"),
        ({"language": "en", "max_new_tokens": 28}, "are 4 tokens, and max_new_tokens=28; .* room for 30"),
        ({"language": "en", "prompt_condition_type": "none"}, "is not first-segment or all-segments"),
        ({"language": "en", "prompt_condition_type": "all-segments"}, "needs condition_on_prev_tokens"),
        ({"language": "en", "return_token_timestamps": True}, "needs generation_config.alignment_heads"),
    ],
)
def test_refused(model: WhisperForConditionalGeneration, kwargs: dict, message: str) -> None:
    with pytest.raises(GenerationError, match=message):
        model.generate(SOUNDS, **kwargs)


@pytest.mark.parametrize(
    ("frames", "kwargs", "message"),
    [
        (9, {}, "9 frames, more than the 8 of a window: longer sounds need return_timestamps=True"),
        (9, {"return_timestamps": True}, "2 sounds longer than a window need attention_mask"),
    ],
)
def test_long_sounds_refused(
    model: WhisperForConditionalGeneration, frames: int, kwargs: dict, message: str
) -> None:
    with pytest.raises(GenerationError, match=message):
        model.generate(torch.zeros(2, 80, frames), language="en", **kwargs)


def test_progress_is_told(model: WhisperForConditionalGeneration) -> None:
    told: list[list[int]] = []
    model.generate(
        torch.zeros(1, 80, 20),
        language="en",
        return_timestamps=True,
        max_new_tokens=3,
        monitor_progress=lambda done: told.append(done[0].tolist()),
    )
    assert told[0] == [0, 20] and [done for done, _ in told] == sorted(done for done, _ in told)


def test_the_cheapest_path() -> None:
    cost = np.array([[0.0, 9, 9, 9], [9, 0, 0, 9], [9, 9, 9, 0]])
    rows, columns = warp(cost)
    assert rows.tolist() == [0, 1, 1, 2] and columns.tolist() == [0, 1, 2, 3]


def test_medians() -> None:
    values = torch.tensor([[[[1.0, 9, 2, 3, 8]]]])
    assert median_filter(values, 3).tolist() == [[[[9, 2, 3, 3, 3]]]]
    assert median_filter(values, 1) is values


@pytest.mark.parametrize(
    ("written", "allowed"),
    [
        ([], {6, 7}),  # a timestamp first, and not a late one
        ([6], {0, 1, 2, 3, 4}),  # the text after it
        ([6, 1], set(range(5)) | {7, 8, 9}),  # more text, or a timestamp that ends it, later than the last
        ([6, 1, 8], {4, 8, 9}),  # the next begins where this ended or later, or all ends
        ([6, 1, 8, 8], {0, 1, 2, 3, 4}),
    ],
)
def test_timestamp_rules(written: list[int], allowed: set[int]) -> None:
    rules = TimestampRules(no_timestamps=5, eos=4, begin=1, latest_first=1)
    scores = torch.zeros(1, 10)
    scores[:, :5] = 3.0  # text is likelier, so that probability forces nothing
    found = rules(torch.tensor([[0, *written]]), scores)
    assert {i for i, score in enumerate(found[0].tolist()) if score > -math.inf} == allowed


def test_likely_timestamps_win() -> None:
    rules = TimestampRules(no_timestamps=5, eos=4, begin=1)
    scores = torch.zeros(1, 10)
    found = rules(torch.tensor([[0, 6, 1]]), scores)  # three timestamps together beat any one token
    assert torch.isinf(found[0, :6]).all() and torch.isfinite(found[0, 7:]).all()


def test_another_length_is_named(model: WhisperForConditionalGeneration) -> None:
    with pytest.raises(ValueError, match="mel spectrograms of 8 frames, got 6"):
        model(SOUNDS[..., :6], decoder_input_ids=torch.tensor([[START]] * 2))
