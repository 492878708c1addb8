"""Bark speaks in three steps: their numbers, the voices that they continue, and its processor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo_audio.bark.generation_config import BarkGenerationConfig
from zoo_audio.bark.processor import BarkProcessor
from zoo_core import AutoConfig, AutoModelForTextToWaveform, AutoProcessor
from zoo_core.errors import GenerationError, ProcessingError
from zoo_text.tokenizers.wordpiece import BertTokenizer

SEMANTIC = {"eos_token_id": 40, "semantic_vocab_size": 40, "text_encoding_offset": 50, "text_pad_token": 98}
SEMANTIC |= {"semantic_infer_token": 99, "max_input_semantic_length": 8, "max_new_tokens": 20}
COARSE = {"coarse_semantic_pad_token": 60, "coarse_infer_token": 61, "max_coarse_input_length": 8}
COARSE |= {"max_coarse_history": 12, "sliding_window_len": 10}
FINE = {"max_fine_history_length": 8, "max_fine_input_length": 16, "n_fine_codebooks": 4}
CODES = 10
TEXT = torch.tensor([[3, 9, 23, 11, 30, 0, 0, 0]])
SHOWN = torch.tensor([[1, 1, 1, 1, 1, 0, 0, 0]])
VOICE = {
    "semantic_prompt": torch.arange(30),
    "coarse_prompt": torch.arange(90).view(2, 45) % CODES,
    "fine_prompt": torch.arange(180).view(4, 45) % CODES,
}


@pytest.fixture(scope="module")
def bark() -> Any:
    """A small Bark whose weights are the same everywhere: sines of their places."""
    sizes = {"hidden_size": 16, "num_layers": 1, "num_heads": 2, "block_size": 64}
    codec = {"hidden_size": 16, "num_filters": 4, "codebook_dim": 16, "num_lstm_layers": 1}
    config = AutoConfig.for_model(
        "bark",
        semantic_config={**sizes, "input_vocab_size": 100, "output_vocab_size": 48},
        coarse_acoustics_config={**sizes, "input_vocab_size": 64, "output_vocab_size": 64},
        fine_acoustics_config={
            **sizes,
            "input_vocab_size": CODES + 2,
            "output_vocab_size": CODES + 2,
            "n_codes_total": 4,
        },
        codec_config={**codec, "codebook_size": 16, "upsampling_ratios": [2, 2], "target_bandwidths": [96.0]},
    )
    model: Any = AutoModelForTextToWaveform.from_config(config).eval()
    for number, (name, tensor) in enumerate(sorted(model.state_dict().items())):
        if tensor.dim() > 1 and not name.startswith("codec_model."):
            places = torch.arange(tensor.numel(), dtype=torch.float64)
            tensor.copy_(torch.sin(places * 1.7 + places**2 * 0.013 + number).view_as(tensor) * 0.8)
    model.generation_config = BarkGenerationConfig(SEMANTIC, COARSE, FINE, codebook_size=CODES)
    return model


def steps(model: Any, voice: Any) -> tuple[Any, Any, Any]:
    config = model.generation_config
    configs = (config.semantic_config, config.coarse_acoustics_config, config.fine_acoustics_config)
    semantic = model.semantic.generate(TEXT, configs[0], voice, SHOWN)
    coarse = model.coarse_acoustics.generate(semantic, *configs[:2], CODES, voice)
    return semantic, coarse, model.fine_acoustics.generate(coarse, *configs, CODES, voice)


RECORDED = json.loads((Path(__file__).parent / "bark_tokens.json").read_text())


@pytest.mark.parametrize("voice", [None, VOICE], ids=["plain", "voice"])
def test_steps_give_the_reference_tokens(bark: Any, voice: Any, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    for found, expected in zip(steps(bark, voice), RECORDED[name], strict=True):
        assert found[0].tolist() == expected


def test_sound_has_the_length_of_its_codes(bark: Any) -> None:
    sound, lengths = bark.generate(TEXT, VOICE, True, attention_mask=SHOWN, coarse_sliding_window_len=7)
    codes = steps(bark, None)[2]
    assert lengths == [4 * codes.shape[2]] and sound.shape == (1, lengths[0])


def test_generation_settings_are_kept(bark: Any, tmp_path: Path) -> None:
    bark.save_pretrained(tmp_path)
    again: Any = AutoModelForTextToWaveform.from_pretrained(tmp_path)
    assert again.generation_config == bark.generation_config
    assert again.generation_config.semantic_config.semantic_pad_token == 40


def test_impossible_calls_say_what_works(bark: Any) -> None:
    with pytest.raises(GenerationError, match="expected \\(batch, 8\\)"):
        bark.generate(TEXT[:, :5])
    with pytest.raises(GenerationError, match="no 'coarse_prompt'"):
        bark.generate(TEXT, {"semantic_prompt": VOICE["semantic_prompt"]})
    with pytest.raises(GenerationError, match="too few for a frame"):
        bark.generate(TEXT, attention_mask=SHOWN, min_eos_p=1e-30)


@pytest.fixture
def processor(tmp_path: Path) -> BarkProcessor:
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello"]))
    BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    for part, values in VOICE.items():
        np.save(tmp_path / f"{part}.npy", values.numpy())
    listed = {part: f"{part}.npy" for part in VOICE}
    presets = {"repo_or_path": "/etc", "v2/en": listed, "v2/out": {**listed, "fine_prompt": "../x.npy"}}
    (tmp_path / "speaker_embeddings_path.json").write_text(json.dumps(presets))
    return BarkProcessor.from_pretrained(tmp_path)  # type: ignore[no-any-return]


def test_processor_gives_text_and_voice(processor: BarkProcessor, tmp_path: Path) -> None:
    del processor.speaker_embeddings["v2/out"]
    processor.save_pretrained(tmp_path / "saved")
    again = AutoProcessor.from_pretrained(tmp_path / "saved")
    np.savez(tmp_path / "own.npz", **{part: values.numpy() for part, values in VOICE.items()})
    for voice in ("v2/en", str(tmp_path / "own"), VOICE):
        batch = again("hello", voice_preset=voice)
        assert batch["input_ids"].shape == (1, 256) and batch["input_ids"][0, 0] == 5
        assert all(torch.equal(batch["history_prompt"][part], values) for part, values in VOICE.items())


def test_processor_refuses_what_is_no_voice(processor: BarkProcessor, tmp_path: Path) -> None:
    np.save(tmp_path / "semantic_prompt.npy", np.array([{}], dtype=object), allow_pickle=True)
    for voice, message in [
        ("v2/en", "no arrays that can be read"),
        ("v2/fr", "neither a voice"),
        ({**VOICE, "fine_prompt": torch.ones(3)}, "expected 2 dimensions of whole numbers"),
        ({"semantic_prompt": VOICE["semantic_prompt"]}, "lacks coarse_prompt"),
    ]:
        with pytest.raises(ProcessingError, match=message):
            processor("hello", voice_preset=voice)
    with pytest.raises(OSError):  # a name that leaves the repository
        processor("hello", voice_preset="v2/out")
