"""MusicGen Melody: melody and text before the codes, with and without a cache, guided and alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_audio.encodec.config import EncodecConfig
from zoo_multimodal.musicgen_melody.config import MusicgenMelodyConfig, MusicgenMelodyDecoderConfig
from zoo_multimodal.musicgen_melody.model import MusicgenMelodyForConditionalGeneration
from zoo_text.t5.config import T5Config

IDS, MASK = torch.tensor([[5, 6, 7, 1], [8, 9, 1, 0]]), torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
MELODY = torch.rand(2, 3, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model() -> MusicgenMelodyForConditionalGeneration:
    torch.manual_seed(0)
    codec = EncodecConfig(
        hidden_size=8,
        num_filters=2,
        codebook_size=32,
        codebook_dim=8,
        upsampling_ratios=[4, 2],
        sampling_rate=800,
        target_bandwidths=[1.0],
    )
    decoder = MusicgenMelodyDecoderConfig(
        vocab_size=32,
        hidden_size=16,
        num_hidden_layers=2,
        ffn_dim=12,
        num_attention_heads=2,
        num_codebooks=2,
        pad_token_id=32,
        bos_token_id=32,
        initializer_factor=0.3,
    )
    text = T5Config(vocab_size=40, d_model=12, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    config = MusicgenMelodyConfig.from_sub_models_config(text, codec, decoder, num_chroma=6, chroma_length=5)
    made = MusicgenMelodyForConditionalGeneration(config).eval()
    torch.nn.init.normal_(made.audio_enc_to_dec_proj.weight)
    for name, buffer in made.audio_encoder.named_buffers():
        if name.endswith("embed"):
            buffer.normal_()
    return made


def test_a_short_melody_begins_again(model: MusicgenMelodyForConditionalGeneration) -> None:
    prefix = model.prefix(IDS, MASK, MELODY)
    assert prefix is not None and prefix.shape == (2, 5 + 4, 16)
    assert torch.equal(prefix[:, 3:5], prefix[:, :2]) and not prefix[1, -1].any()
    alone = model.prefix(None, None, MELODY)
    assert alone is not None and torch.equal(alone, prefix[:, :5])
    assert model.prefix(None, None, None) is None


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize(
    "inputs", [{"input_ids": IDS, "attention_mask": MASK}, {"input_features": MELODY}, {}]
)
def test_cached_is_uncached(
    model: MusicgenMelodyForConditionalGeneration, inputs: dict[str, Any], guidance: float
) -> None:
    options = {**inputs, "guidance_scale": guidance, "max_new_tokens": 12}
    cached = model.generate(**options)
    assert cached.shape[1] == 1 and torch.allclose(
        cached, model.generate(**options, use_cache=False), atol=1e-5
    )


def test_the_melody_is_heard(model: MusicgenMelodyForConditionalGeneration) -> None:
    text = {"input_ids": IDS, "attention_mask": MASK, "max_new_tokens": 12}
    assert not torch.equal(model.generate(**text), model.generate(**text, input_features=MELODY))


def test_the_loss_is_of_the_codes_alone(model: MusicgenMelodyForConditionalGeneration) -> None:
    labels = torch.randint(0, 32, (2, 4, 2), generator=torch.Generator().manual_seed(1))
    output = model(IDS, MASK, MELODY, labels=labels)
    assert output.logits.shape == (4, 9 + 4, 32) and output.encoder_hidden_states.shape == (2, 9, 16)
    again = model(encoder_hidden_states=output.encoder_hidden_states, labels=labels)
    assert torch.equal(again.loss, output.loss)
