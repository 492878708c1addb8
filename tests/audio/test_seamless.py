"""SeamlessM4T: speech and text to text and speech, languages, voices, and input that it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from zoo_audio.seamless_m4t import model as seamless
from zoo_audio.seamless_m4t.config import SeamlessM4TConfig
from zoo_audio.seamless_m4t.conformer import distance_sinusoids
from zoo_core.errors import GenerationError

LANGUAGES = ["eng", "fra"]
SIZES: dict[str, Any] = {
    "vocab_size": 40,
    "t2u_vocab_size": 30,
    "unit_hifi_gan_vocab_size": 30,
    "hidden_size": 8,
    "vocoder_offset": 0,
    "unit_embed_dim": 6,
    "lang_embed_dim": 4,
    "spkr_embed_dim": 4,
    "vocoder_num_langs": 2,
    "vocoder_num_spkrs": 3,
    "upsample_initial_channel": 8,
    "upsample_rates": [2, 2],
    "upsample_kernel_sizes": [4, 4],
    "speech_encoder_layers": 1,
    "speech_encoder_intermediate_size": 8,
    "speech_encoder_attention_heads": 2,
    "conv_depthwise_kernel_size": 5,
    "t2u_max_new_tokens": 7,
    **{
        f"{part}{name}": value
        for part in ("encoder_", "decoder_", "t2u_encoder_", "t2u_decoder_")
        for name, value in {"layers": 1, "ffn_dim": 8, "attention_heads": 2}.items()
    },
}
IDS = torch.tensor([[30, 5, 6, 7, 3], [30, 8, 9, 3, 0]])
TEXT = {"input_ids": IDS, "attention_mask": (IDS != 0).long()}
FRAMES = torch.arange(24) < torch.tensor([24, 17])[:, None]
SPEECH = {
    "input_features": torch.randn(2, 24, 160, generator=torch.Generator().manual_seed(0)),
    "attention_mask": FRAMES.long(),
}


def built(kind: type[Any], **options: Any) -> Any:
    torch.manual_seed(0)
    model = kind(SeamlessM4TConfig(**{**SIZES, **options})).eval()
    for name, weight in model.named_parameters():
        if weight.dim() > 1 and "hifi_gan" not in name:
            torch.nn.init.normal_(weight, std=0.4)
    settings = model.settings()
    settings.max_new_tokens = 6
    settings.text_decoder_lang_to_code_id = {name: 30 + i for i, name in enumerate(LANGUAGES)}
    settings.t2u_lang_code_to_id = {name: 20 + i for i, name in enumerate(LANGUAGES)}
    settings.vocoder_lang_code_to_id = {name: i for i, name in enumerate(LANGUAGES)}
    return model


def test_distances_begin_at_the_farthest_behind() -> None:
    table = distance_sinusoids(3, 4)
    assert table.shape == (5, 4) and table[2].tolist() == [0, 1, 0, 1]
    assert torch.allclose(table[0, 0], torch.tensor(2.0).sin()) and torch.equal(
        table[0, 0::2], -table[4, 0::2]
    )


@pytest.mark.parametrize("inputs", [TEXT, SPEECH], ids=["text", "speech"])
def test_speech_comes_with_its_text_and_units(inputs: dict[str, Any]) -> None:
    model = built(seamless.SeamlessM4TModel)
    output = model.generate(**inputs, tgt_lang="__fra__", return_intermediate_token_ids=True)
    assert output.sequences[:, :2].tolist() == [[3, 31]] * 2
    assert output.unit_sequences[:, :2].tolist() == [[2, 21]] * 2 and output.unit_sequences.shape[1] <= 9
    waveform, lengths = model.generate(**inputs, tgt_lang="fra", speaker_id=0)
    assert torch.equal(waveform, output.waveform) and int(lengths.max()) == waveform.shape[1]
    other, _ = model.generate(**inputs, tgt_lang="fra", spkr_id=2)
    assert not torch.equal(waveform, other)
    written = model.generate(**inputs, tgt_lang="fra", generate_speech=False)
    assert torch.equal(written["sequences"], output.sequences)


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [(seamless.SeamlessM4TForTextToText, TEXT), (seamless.SeamlessM4TForSpeechToText, SPEECH)],
)
def test_cached_is_uncached(kind: type[Any], inputs: dict[str, Any]) -> None:
    model = built(kind)
    for beams in (1, 3):
        written = model.generate(**inputs, tgt_lang="eng", num_beams=beams)
        assert torch.equal(
            written, model.generate(**inputs, tgt_lang="eng", num_beams=beams, use_cache=False)
        )


def test_settings_of_either_stage() -> None:
    model = built(seamless.SeamlessM4TForSpeechToSpeech)
    output = model.generate(
        SPEECH["input_features"],
        attention_mask=SPEECH["attention_mask"],
        tgt_lang="eng",
        return_intermediate_token_ids=True,
        text_max_new_tokens=2,
        speech_max_new_tokens=3,
        text_num_beams=2,
        text_num_return_sequences=2,
    )
    assert output.sequences.shape == (2, 4) and output.unit_sequences.shape == (2, 5)


def test_parts_load_from_a_whole_model(tmp_path: Path) -> None:
    whole = built(seamless.SeamlessM4TModel)
    whole.save_pretrained(tmp_path)
    part, info = seamless.SeamlessM4TForTextToText.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    want = whole.generate(**TEXT, tgt_lang="fra", generate_speech=False)["sequences"]
    assert torch.equal(part.generate(**TEXT, tgt_lang="fra"), want)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tgt_lang": "xyz"}, "'xyz' is not in text_decoder_lang_to_code_id; it has eng, fra"),
        ({}, "speech needs a language"),
        ({"tgt_lang": "eng", "speaker_id": 3}, "voices 0 to 2"),
    ],
)
def test_wrong_requests(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(GenerationError, match=message):
        built(seamless.SeamlessM4TModel).generate(**TEXT, **wrong)


def test_nothing_to_read() -> None:
    with pytest.raises(ValueError, match=r"pass one of input_ids .* or input_features"):
        built(seamless.SeamlessM4TModel).generate(tgt_lang="eng")
    with pytest.raises(ValueError, match="reads text"):
        built(seamless.SeamlessM4TForTextToText).set_modality("speech")
