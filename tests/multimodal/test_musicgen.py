"""MusicGen: the order of codebooks, guidance, prompts of sound, its parts, and input that it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo_audio.encodec.config import EncodecConfig
from zoo_audio.features.waveform import EncodecFeatureExtractor
from zoo_core.errors import ConfigError, GenerationError
from zoo_multimodal.musicgen.config import MusicgenConfig, MusicgenDecoderConfig
from zoo_multimodal.musicgen.delay import Delays
from zoo_multimodal.musicgen.model import MusicgenForCausalLM, MusicgenForConditionalGeneration
from zoo_multimodal.musicgen.processor import MusicgenProcessor
from zoo_text.t5.config import T5Config

IDS, MASK = torch.tensor([[5, 6, 7, 1], [8, 9, 1, 0]]), torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
START = 32


def music(channels: int = 1, width: int = 16) -> MusicgenForConditionalGeneration:
    torch.manual_seed(0)
    config = MusicgenConfig.from_sub_models_config(
        T5Config(vocab_size=40, d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2),
        EncodecConfig(
            hidden_size=8,
            num_filters=2,
            codebook_size=32,
            codebook_dim=8,
            upsampling_ratios=[4, 2],
            sampling_rate=800,
            target_bandwidths=[1.0],
        ),
        MusicgenDecoderConfig(
            vocab_size=START,
            hidden_size=16,
            num_hidden_layers=2,
            ffn_dim=12,
            num_attention_heads=2,
            num_codebooks=2 * channels,
            audio_channels=channels,
            pad_token_id=START,
            bos_token_id=START,
            initializer_factor=0.3,
            decoder_start_token_id=START,
        ),
    )
    model = MusicgenForConditionalGeneration(config).eval()
    for name, buffer in model.audio_encoder.named_buffers():
        if name.endswith("embed"):
            buffer.normal_()
    return model


def test_each_codebook_is_a_step_behind_the_one_before_it() -> None:
    ids = torch.tensor([[9, 1, 2], [9, 3, 4], [9, 5, 6]])
    prompt, pattern = Delays(codebooks=3, channels=1).pattern(ids, 9, 6)
    assert pattern.tolist() == [[9, 1, 2, -1, 9, 9], [9, 9, 3, 4, -1, 9], [9, 9, 9, 5, 6, -1]]
    assert prompt.tolist() == [[9, 1, 2], [9, 9, 3], [9, 9, 9]]
    written = torch.where(pattern == -1, torch.tensor([[10], [11], [12]]), pattern)
    frames = Delays(3, 1).frames(written, 9, 6)
    assert frames.tolist() == [[[1, 2, 10], [3, 4, 11], [5, 6, 12]]]
    assert Delays(4, 2).of_rows(torch.zeros(8, 1)).flatten().tolist() == [0, 0, 1, 1] * 2
    assert Delays(3, 1).pattern(ids, 9, 4)[1].eq(-1).all()  # too short for delays


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("guidance", [1.0, 3.0])
def test_cached_is_uncached(channels: int, guidance: float) -> None:
    model = music(channels, width=24)
    sound = torch.sin(torch.arange(160.0) / 3).view(2, 1, 80).expand(2, channels, 80)
    inputs: dict[str, Any] = {"input_ids": IDS, "attention_mask": MASK, "input_values": sound}
    inputs |= {"guidance_scale": guidance, "max_new_tokens": 12}
    cached, plain = model.generate(**inputs), model.generate(**inputs, use_cache=False)
    assert cached.shape[1] == channels and torch.allclose(cached, plain)
    codes, _ = model.encode_audio(sound)
    assert torch.allclose(model.generate(**{**inputs, "input_values": None}, decoder_input_ids=codes), cached)


def test_guidance_of_one_changes_nothing_and_more_does() -> None:
    model = music()
    one, three = (
        model.generate(IDS, attention_mask=MASK, max_new_tokens=12, guidance_scale=g) for g in (1.0, 3.0)
    )
    assert torch.equal(one, model.generate(IDS, attention_mask=MASK, max_new_tokens=12))
    assert not torch.equal(one, three)


def test_music_of_no_description() -> None:
    model = music()
    many = model.generate(**model.get_unconditional_inputs(num_samples=2), max_new_tokens=9)
    assert many.shape[0] == 2 and torch.allclose(many[:1], model.generate(max_new_tokens=9), atol=1e-4)


def test_what_generate_returns() -> None:
    output = music().generate(
        IDS,
        attention_mask=MASK,
        max_new_tokens=8,
        return_dict_in_generate=True,
        output_scores=True,
        output_attentions=True,
        num_return_sequences=2,
        do_sample=True,
    )
    assert output.sequences.shape == (4, 1, 7 * 8) and len(output.scores) == 8
    assert len(output.cross_attentions) == len(output.decoder_attentions) == 8


def test_padding_on_the_left_changes_nothing() -> None:
    model = music()
    padded = model.generate(
        torch.tensor([[0, 0, 8, 9, 1]]), attention_mask=torch.tensor([[0, 0, 1, 1, 1]]), max_new_tokens=9
    )
    assert torch.allclose(padded, model.generate(torch.tensor([[8, 9, 1]]), max_new_tokens=9))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_beams": 2}, "greedily or by sampling"),
        ({"decoder_input_ids": torch.zeros(3, 2, dtype=torch.long)}, "2 codebooks make 4"),
        ({"max_new_tokens": 1, "decoder_input_ids": torch.full((4, 1), START)}, None),
    ],
)
def test_wrong_input(wrong: dict[str, Any], message: str | None) -> None:
    inputs = {"max_new_tokens": 8, **wrong}
    if message is None:  # one step without delays is one frame
        assert music().generate(IDS, attention_mask=MASK, **inputs).shape == (2, 1, 8)
        return
    with pytest.raises(GenerationError, match=message):
        music().generate(IDS, attention_mask=MASK, **inputs)


def test_stereo_sound_for_a_mono_model() -> None:
    with pytest.raises(ValueError, match="2 channels; this model is mono"):
        music().encode_audio(torch.zeros(1, 2, 80))
    with pytest.raises(ConfigError, match="must divide into 2 channels"):
        MusicgenDecoderConfig(num_codebooks=3, audio_channels=2)


def test_parts_join_and_the_decoder_loads_alone(tmp_path: Path) -> None:
    model = music(width=24)
    model.save_pretrained(tmp_path)
    decoder = MusicgenForCausalLM.from_pretrained(tmp_path)
    states = torch.randn(1, 3, 16)
    codes = decoder.generate(encoder_hidden_states=states, max_new_tokens=8)
    assert codes.shape == (1, 2, 7)
    assert torch.equal(codes, model.decoder.generate(encoder_hidden_states=states, max_new_tokens=8))
    joined = MusicgenForConditionalGeneration.from_sub_models_pretrained(
        text_encoder_model=model.text_encoder,
        audio_encoder_model=model.audio_encoder,
        decoder_pretrained_model_name_or_path=str(tmp_path),
    )
    joined.enc_to_dec_proj = model.enc_to_dec_proj
    assert torch.equal(joined.generate(IDS, max_new_tokens=8), model.generate(IDS, max_new_tokens=8))


def test_padding_of_prompts_is_cut_from_what_was_made() -> None:
    extractor = EncodecFeatureExtractor(padding_side="left", sampling_rate=800)
    processor = MusicgenProcessor(extractor, type("Words", (), {"model_input_names": ["input_ids"]})())
    sounds = [np.ones(9, dtype="float32"), np.ones(5, dtype="float32")]
    inputs = processor(audio=sounds, sampling_rate=800, padding=True, return_tensors="pt")
    made = torch.arange(26.0).view(2, 1, 13)
    whole, cut = processor.batch_decode(made, padding_mask=inputs["padding_mask"])
    assert whole.shape == (1, 13) and cut.tolist() == [list(range(17, 26))]
    assert [wave.shape for wave in processor.batch_decode(audio=made)] == [(1, 13)] * 2
