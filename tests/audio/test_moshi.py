"""Moshi speaks: codes with each text token, one step late but for the first codebook."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_audio.moshi.config import MoshiConfig
from zoo_audio.moshi.model import MoshiForConditionalGeneration
from zoo_core.errors import GenerationError

SIZES = {"num_hidden_layers": 1, "num_attention_heads": 2, "num_codebooks": 3, "audio_vocab_size": 16}
CODEC = {"hidden_size": 16, "num_filters": 4, "upsampling_ratios": [2], "num_hidden_layers": 1}
CODEC |= {"intermediate_size": 8, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}
CODEC |= {"codebook_dim": 8, "codebook_size": 16, "num_quantizers": 4, "upsample_groups": 16}
TEXT = torch.tensor([[3, 9, 4], [7, 5, 1]])
OWN = torch.arange(18).view(2, 3, 3) % 16
USER = (OWN * 5 + 3) % 16
GREEDY: dict[str, Any] = {"do_sample": False, "max_new_tokens": 4}
PLAIN = {"return_audio_waveforms": False, "concat_unconditional_inputs": False}


@pytest.fixture(scope="module")
def moshi() -> Any:
    torch.manual_seed(0)
    depth = {**SIZES, "hidden_size": 16, "input_size": 16, "ffn_dim": 16, "vocab_size": 20}
    config = MoshiConfig(
        **SIZES,
        hidden_size=16,
        ffn_dim=16,
        vocab_size=20,
        depth_decoder_config=depth,
        audio_encoder_config={"model_type": "mimi", **CODEC, "vector_quantization_hidden_dimension": 8},
    )
    model = MoshiForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name and not name.startswith("audio_encoder"):
                weight += torch.randn_like(weight) * 0.3
    return model


def said(model: Any, **more: Any) -> Any:
    prompt = {"moshi_audio_codes": OWN[:1], "user_audio_codes": USER[:1]}
    return model.generate(TEXT[:1], **prompt, **PLAIN, **GREEDY, return_audio_codes=True, **more)


def test_steps_are_those_of_one_pass(moshi: Any) -> None:
    """The codes that came out, put in as codes of the dialogue, give the same text and codes again."""
    found = said(moshi)
    text, codes = found.sequences, found.audio_codes
    assert text.shape == (1, 7) and codes.shape == (1, 3, 6)
    silence = moshi.silence()[:, :, None].expand(-1, -1, 3)
    own = moshi.delayed(codes)
    user = torch.cat((moshi.delayed(torch.cat((USER[:1], silence), 2))[:, :, :4], silence[:, :, 1:]), dim=2)
    outputs = moshi(text[:, :6], inputs_embeds=moshi.embed(text[:, :6], torch.cat((own, user), dim=1)))
    assert outputs.logits[:, 2:].argmax(-1).tolist() == text[:, 3:].tolist()
    state = outputs.last_hidden_state[:, 3:4]
    assert moshi.written(text[:, 4], state, None)[0, 0] == codes[0, 0, 4]


def test_dialogues_do_not_disturb_each_other(moshi: Any) -> None:
    both = moshi.generate(
        TEXT, moshi_audio_codes=OWN, user_audio_codes=USER, **PLAIN, **GREEDY, return_audio_codes=True
    )
    assert both.audio_codes[0].tolist() == said(moshi).audio_codes[0].tolist()
    prompt = {"moshi_audio_codes": OWN, "user_audio_codes": USER}
    beams = moshi.generate(TEXT, **prompt, **PLAIN, **GREEDY, num_beams=2)
    alone = {"moshi_audio_codes": OWN[1:], "user_audio_codes": USER[1:]}
    assert beams[1].tolist() == moshi.generate(TEXT[1:], **alone, **PLAIN, **GREEDY, num_beams=2)[0].tolist()


def test_a_dialogue_begins_with_nothing_and_gives_sound(moshi: Any) -> None:
    found = moshi.generate(**GREEDY)
    assert found.sequences[0, 0] == 20 and found.audio_sequences.shape[:2] == (1, 1)
    drawn = moshi.generate(**GREEDY, depth_decoder_do_sample=True, depth_decoder_top_k=2)
    assert drawn.sequences.shape == found.sequences.shape


def test_impossible_calls_say_what_works(moshi: Any) -> None:
    with pytest.raises(GenerationError, match="what both speakers said"):
        moshi.generate(TEXT)
    with pytest.raises(GenerationError, match="num_beams=2 keeps no sound"):
        moshi.generate(num_beams=2)
    with pytest.raises(GenerationError, match="equally many"):
        moshi.generate(TEXT, moshi_audio_codes=OWN[:, :, :2], user_audio_codes=USER)
