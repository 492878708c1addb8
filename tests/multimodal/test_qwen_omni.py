"""Qwen2.5-Omni: positions of a video with its sound, the reply, its codes and their sound, the processor."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from zoo_core import AutoConfig, AutoModelForTextToWaveform
from zoo_core.errors import CheckpointError, GenerationError, ProcessingError
from zoo_multimodal.qwen2_5_omni.processor import Qwen2_5OmniProcessor, pieces
from zoo_multimodal.qwen2_5_omni.thinker import TimeAligned
from zoo_multimodal.qwen2_5_omni.token2wav import Qwen2_5OmniToken2WavModel
from zoo_multimodal.qwen3_omni_moe.processor import Qwen3OmniMoeProcessor

RECORDED = json.loads((Path(__file__).parent / "qwen_omni.json").read_text())
MARKS = {"audio_token_id": 1, "image_token_id": 2, "video_token_id": 3, "audio_start_token_id": 4}
MARKS |= {"vision_start_token_id": 7, "vision_config": SimpleNamespace(spatial_merge_size=2)}


@pytest.mark.parametrize("case", RECORDED["positions"], ids=lambda case: case["name"])
def test_positions_tell_time(case: dict[str, Any]) -> None:
    model = TimeAligned()
    model.config = SimpleNamespace(position_id_per_seconds=case["rate"], **MARKS)
    model.whole_positions = case["whole"]  # type: ignore[misc]
    ids = torch.tensor(case["ids"])
    grids = {name: torch.tensor(case[name]) for name in ("image_grid_thw", "video_grid_thw") if case[name]}
    mask, seconds = torch.tensor(case["mask"]), torch.tensor(case["seconds"] or [1.0])
    found, deltas = model.get_rope_index(ids, attention_mask=mask, second_per_grids=seconds, **grids)
    assert torch.allclose(found[:, mask.bool()].float(), torch.tensor(case["positions"]))
    assert torch.allclose(deltas.float(), torch.tensor(case["deltas"]))


SIZES = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "num_hidden_layers": 1}
TEXT = {**SIZES, "num_key_value_heads": 1, "vocab_size": 40, "max_position_embeddings": 256}
TEXT["rope_scaling"] = {"type": "default", "rope_type": "default", "mrope_section": [1, 1, 2]}  # type: ignore[assignment]
TOKENS = {"audio_token_index": 1, "image_token_index": 2, "video_token_index": 3, "audio_start_token_id": 4}
TOKENS |= {"audio_end_token_id": 5, "vision_start_token_id": 7, "vision_end_token_id": 8}
CODEC = {"tts_text_start_token_id": 30, "tts_text_end_token_id": 31, "tts_text_pad_token_id": 32}
CODEC |= {"tts_codec_start_token_id": 20, "tts_codec_end_token_id": 21, "tts_codec_pad_token_id": 22}
DIT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "head_dim": 8, "emb_dim": 4}
DIT |= {"block_size": 4, "look_ahead_layers": [1], "look_backward_layers": [0], "num_embeds": 24}  # type: ignore[dict-item]
DIT |= {"mel_dim": 4, "enc_emb_dim": 4, "enc_dim": 4, "enc_attention_channels": 4, "enc_se_channels": 4}
DIT |= {"enc_channels": [8, 8, 8, 16], "enc_kernel_sizes": [3, 3, 3, 1], "enc_dilations": [1, 2, 3, 1]}  # type: ignore[dict-item]
VOCODER = {"mel_dim": 4, "upsample_initial_channel": 16, "upsample_rates": [3, 2]}
VOCODER |= {"upsample_kernel_sizes": [7, 4], "resblock_kernel_sizes": [3]}
VOCODER |= {"resblock_dilation_sizes": [[1, 3, 5]]}
PROMPT = torch.tensor([[9, 4, 1, 1, 5, 10, 11]])
SOUND = torch.sin(torch.arange(8 * 8).view(1, 8, 8) * 0.7)
CALL = {"input_features": SOUND, "feature_attention_mask": torch.ones(1, 8, dtype=torch.long)}
CALL |= {"thinker_max_new_tokens": 5, "talker_max_new_tokens": 6, "do_sample": False}  # type: ignore[dict-item]
CALL |= {"talker_do_sample": False, "talker_eos_token_id": [23], "thinker_eos_token_id": 39}  # type: ignore[dict-item]
VOICE = {"cond": torch.linspace(-1, 1, 4)[None], "ref_mel": torch.sin(torch.arange(36.0)).view(1, 9, 4)}
VOICES = {"Ada": {**VOICE, "bos_token": 33}}


@pytest.fixture(scope="module")
def omni() -> Any:
    """A small model whose weights are the same everywhere: sines of their places."""
    audio = {"d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16}
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    thinker = {**TOKENS, "text_config": TEXT, "vision_config": vision}
    thinker["audio_config"] = {**audio, "num_mel_bins": 8, "output_dim": 16, "n_window": 4}
    talker = {**TEXT, **TOKENS, **CODEC, "vocab_size": 24, "embedding_size": 16, "head_dim": 8}
    config = AutoConfig.for_model(
        "qwen2_5_omni",
        thinker_config=thinker,
        talker_config={**talker, "tts_codec_mask_token_id": 19},
        token2wav_config={"dit_config": DIT, "bigvgan_config": VOCODER},
    )
    model: Any = AutoModelForTextToWaveform.from_config(config).eval()
    for number, (name, tensor) in enumerate(sorted(model.state_dict().items())):
        if tensor.is_floating_point() and tensor.dim() > 1 and "taps" not in name:
            places = torch.arange(tensor.numel(), dtype=torch.float64)
            waves = torch.sin(places * 1.7 + places**2 * 0.013 + number) * (
                0.2 if name.startswith("token2wav.") else 0.4
            )
            tensor.copy_(waves.view_as(tensor))
    model.voices = VOICES
    return model


def test_it_writes_and_speaks_as_the_reference(omni: Any) -> None:
    codes: list[Any] = []
    handle = omni.token2wav.register_forward_pre_hook(lambda _, given: codes.append(given[0]))
    torch.manual_seed(0)
    ids, wave = omni.generate(PROMPT, "Ada", **CALL)
    handle.remove()
    assert ids[0].tolist() == RECORDED["ids"] and codes[0][0].tolist() == RECORDED["codes"]
    assert torch.allclose(wave, torch.tensor(RECORDED["wave"]), atol=1e-3)


def test_it_saves_its_voices_and_can_be_silent(omni: Any, tmp_path: Path) -> None:
    omni.save_pretrained(tmp_path)
    again: Any = AutoModelForTextToWaveform.from_pretrained(tmp_path)
    assert torch.equal(again.voices["Ada"]["ref_mel"], VOICES["Ada"]["ref_mel"])
    part = Qwen2_5OmniToken2WavModel.from_pretrained(tmp_path)
    assert torch.equal(part.dit.proj_out.weight, omni.token2wav.dit.proj_out.weight)
    again.disable_talker()
    ids = again.generate(PROMPT, **CALL)
    assert ids[0].tolist() == RECORDED["ids"]
    with pytest.raises(GenerationError, match="needs the talker"):
        again.generate(PROMPT, return_audio=True)


def test_impossible_calls_say_what_works(omni: Any, tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match="this checkpoint has: Ada"):
        omni.generate(PROMPT, "Bob")
    with pytest.raises(GenerationError, match="one prompt is spoken at a time"):
        omni.generate(PROMPT.expand(2, -1), "Ada")
    torch.save({"Eve": {"cond": torch.ones(1)}}, tmp_path / "voices.pt")
    with pytest.raises(CheckpointError, match="lacks a tensor"):
        omni.load_speakers(tmp_path / "voices.pt")


def found(grid: list[int], second: float, frames: int) -> dict[str, Any]:
    return {
        "video_grid_thw": np.array([grid]),
        "video_second_per_grid": [second],
        "feature_attention_mask": np.ones((1, frames)),
    }


def processor(kind: type[Qwen2_5OmniProcessor]) -> Qwen2_5OmniProcessor:
    video, tokenizer = SimpleNamespace(merge_size=2), SimpleNamespace()
    return kind(SimpleNamespace(merge_size=2), video, SimpleNamespace(), tokenizer)


def test_sounds_are_woven_into_their_videos() -> None:
    own = {"use_audio_in_video": True, "seconds_per_chunk": 2.0, "position_id_per_seconds": 2}
    one = processor(Qwen2_5OmniProcessor)
    (text,) = one.filled(["<|vision_bos|><|VIDEO|><|vision_eos|>"], found([3, 2, 2], 1.0, 20), own)
    order = text.replace("<|VIDEO|>", "v").replace("<|AUDIO|>", "a")
    assert order == "<|vision_bos|><|audio_bos|>vvaaaava<|audio_eos|><|vision_eos|>"
    other = processor(Qwen3OmniMoeProcessor)
    (text,) = other.filled(["<|vision_start|><|video_pad|><|vision_end|>"], found([3, 2, 2], 1.0, 40), own)
    order = text.replace("<|video_pad|>", "v").replace("<|audio_pad|>", "a")
    assert order == "<|vision_start|><|audio_start|>vaavaava<|audio_end|><|vision_end|>"
    assert pieces([0, 1, 9, 9, 10], 4) == [2, 1, 2]


def test_marks_and_media_must_agree() -> None:
    own = {"use_audio_in_video": False, "seconds_per_chunk": 2.0, "position_id_per_seconds": 25}
    one = processor(Qwen2_5OmniProcessor)
    with pytest.raises(ProcessingError, match="text 0 has a mark of audio beyond the 1"):
        one.filled(["<|AUDIO|><|AUDIO|>"], found([1, 2, 2], 1.0, 20), own)
    with pytest.raises(ProcessingError, match="1 of 1 given for video have no mark"):
        one.filled(["<|AUDIO|>"], found([1, 2, 2], 1.0, 20), own)


def test_qwen3_omni_writes_where_it_has_no_speech(tmp_path: Path) -> None:
    experts = {"num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 8}
    audio = {"d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16}
    audio |= {"num_mel_bins": 8, "output_dim": 16, "downsample_hidden_size": 4}
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    vision |= {"deepstack_visual_indexes": [0], "num_position_embeddings": 16}  # type: ignore[dict-item]
    tokens = {"audio_token_id": 1, "image_token_id": 2, "video_token_id": 3}
    thinker = {**tokens, "text_config": {**TEXT, **experts}, "audio_config": audio, "vision_config": vision}
    config = AutoConfig.for_model("qwen3_omni_moe", thinker_config=thinker, enable_audio_output=False)
    model: Any = AutoModelForTextToWaveform.from_config(config).eval()
    settings = {"thinker_max_new_tokens": 3, "thinker_eos_token_id": 39, "do_sample": False}
    ids, sound = model.generate(PROMPT[:, 4:], **settings)
    assert ids.shape[1] <= 6 and sound is None
    model.save_pretrained(tmp_path)
    again: Any = AutoModelForTextToWaveform.from_pretrained(tmp_path)
    assert torch.equal(again.generate(PROMPT[:, 4:], **settings)[0], ids)
    with pytest.raises(GenerationError, match="needs the talker"):
        model.generate(PROMPT, return_audio=True)
