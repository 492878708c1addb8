"""SpeechT5 speaks: when it ends, whose voice it takes, what it hands over; its processor and its numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo_audio.features.waveform import SpeechT5FeatureExtractor
from zoo_audio.speecht5.config import SpeechT5Config, SpeechT5HifiGanConfig
from zoo_audio.speecht5.model import SpeechT5ForSpeechToSpeech, SpeechT5ForTextToSpeech
from zoo_audio.speecht5.processor import SpeechT5Processor
from zoo_audio.speecht5.vocoder import SpeechT5HifiGan
from zoo_audio.tokenizers.ctc import Wav2Vec2CTCTokenizer
from zoo_audio.tokenizers.numbers import spell_numbers
from zoo_core.errors import ProcessingError

IDS = torch.tensor([[5, 9, 23, 11, 30], [17, 3, 2, 1, 1]])
VOICES = torch.eye(2, 6)


@pytest.fixture(scope="module")
def config() -> SpeechT5Config:
    sizes = dict.fromkeys(("encoder_layers", "decoder_layers"), 1)
    sizes |= dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2)
    sizes |= dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim", "hidden_size"), 16)
    sizes |= dict.fromkeys(("speech_decoder_prenet_units", "speech_decoder_postnet_units", "num_mel_bins"), 8)
    return SpeechT5Config(
        vocab_size=40,
        speaker_embedding_dim=6,
        conv_dim=[8, 8],
        conv_kernel=[8, 4],
        conv_stride=[4, 4],
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        initializer_range=0.3,
        **sizes,
    )


@pytest.fixture(scope="module")
def reader(config: SpeechT5Config) -> SpeechT5ForTextToSpeech:
    torch.manual_seed(0)
    return SpeechT5ForTextToSpeech(config).eval()


@pytest.fixture(scope="module")
def vocoder() -> SpeechT5HifiGan:
    return SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=8, upsample_initial_channel=8, upsample_rates=[4, 2], upsample_kernel_sizes=[8, 4]
        )
    ).eval()


def test_lengths_and_shapes(reader: SpeechT5ForTextToSpeech, vocoder: SpeechT5HifiGan) -> None:
    options = {"maxlenratio": 4.0, "threshold": 3.0}  # never reached: 5 x 4.0 frames
    assert reader.generate(IDS[:1], speaker_embeddings=VOICES[:1], **options).shape == (20, 8)
    assert reader.generate_speech(IDS[:1], VOICES[:1], vocoder=vocoder, **options).shape == (160,)
    mask = (IDS != 1).long()
    found, lengths, weights = reader.generate_speech(
        IDS, VOICES, mask, return_output_lengths=True, output_cross_attentions=True, **options
    )
    assert found.shape == (2, 20, 8) and lengths == [20, 20] and weights.shape == (1, 2, 2, 10, 5)
    assert (weights[:, 1, ..., 3:] == 0).all()
    waves, lengths = reader.generate(
        IDS, mask, VOICES[:1], return_output_lengths=True, vocoder=vocoder, **options
    )
    assert waves.shape == (2, 160) and lengths == [160, 160]


def test_each_input_ends_by_itself(reader: SpeechT5ForTextToSpeech) -> None:
    def lengths(**options: float) -> list[int]:
        torch.manual_seed(1)
        return reader.generate(
            IDS, speaker_embeddings=VOICES, maxlenratio=8.0, return_output_lengths=True, **options
        )[1]

    assert lengths(threshold=0.0) == [2, 2] and lengths(threshold=0.0, minlenratio=2.0) == [10, 10]
    torch.manual_seed(1)
    first = torch.zeros(2, 1, 8)
    states = reader.model(IDS, (IDS != 1).long(), first, speaker_embeddings=VOICES).last_hidden_state
    ends = reader.speech_decoder_postnet.prob_out(states).sigmoid().sum(-1)[:, 0]
    found = lengths(threshold=float(ends.detach().mean()))
    assert found[int(ends.argmax())] == 2 and found[int(ends.argmin())] > 2


def test_cached_steps_are_those_of_one_call(reader: SpeechT5ForTextToSpeech) -> None:
    torch.manual_seed(3)
    spoken = reader.generate(IDS, speaker_embeddings=VOICES, maxlenratio=0.8, threshold=3.0)
    torch.manual_seed(3)
    frames = torch.zeros(2, 1, 8)
    mask = (IDS != 1).long()
    for _ in range(2):
        states = reader.model(IDS, mask, frames, speaker_embeddings=VOICES, use_cache=False).last_hidden_state
        made = reader.speech_decoder_postnet.frames(states)
        frames = torch.cat((frames[:, :1], made[:, 1::2]), dim=1)
    assert torch.allclose(reader.speech_decoder_postnet.refine(made), spoken, atol=1e-5)


@pytest.mark.parametrize(
    ("voices", "message"), [(None, "pass speaker_embeddings"), (torch.eye(3, 6), "3 sp")]
)
def test_voices(reader: SpeechT5ForTextToSpeech, voices: torch.Tensor | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reader.generate(IDS, speaker_embeddings=voices)


def test_another_voice(config: SpeechT5Config) -> None:
    model = SpeechT5ForSpeechToSpeech(config).eval()
    waves = torch.randn(2, 400, generator=torch.Generator().manual_seed(0))
    assert model.generate_speech(waves, VOICES, threshold=3.0, maxlenratio=1.0).shape[0] == 2
    assert model.generate_speech(waves[:1], threshold=0.0).shape == (2, 8)


def test_learning(reader: SpeechT5ForTextToSpeech) -> None:
    targets = torch.zeros(2, 7, 8)  # an odd frame has no step of its own
    targets[1, 4:] = -100.0
    out = reader(IDS, speaker_embeddings=VOICES, labels=targets)
    assert out.spectrogram.shape == (2, 6, 8) and out.loss.isfinite()


@pytest.fixture
def processor(tmp_path: Path) -> SpeechT5Processor:
    (tmp_path / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(["<pad>", "|", "A", "B"])}))
    tokenizer = Wav2Vec2CTCTokenizer(tmp_path / "vocab.json", unk_token="<pad>", pad_token="<pad>")
    return SpeechT5Processor(SpeechT5FeatureExtractor(), tokenizer)


def test_processor(processor: SpeechT5Processor) -> None:
    sounds = [np.sin(np.arange(n) / 9).astype("float32") for n in (4000, 2000)]
    options = {"padding": True, "return_tensors": "pt"}
    read = processor(text=["AB", "A"], audio_target=sounds, **options)
    assert read["labels"].shape[2] == 80 and set(read) >= {"input_ids", "decoder_attention_mask"}
    heard = processor(audio=sounds, text_target=["AB", "A"], **options)
    assert heard["input_values"].shape == (2, 4000) and heard["labels"].shape == (2, 2)
    frames = [{"input_values": row} for row in read["labels"]]
    batch = processor.pad(input_ids=[{"input_ids": [2, 3]}, {"input_ids": [2]}], labels=frames, **options)
    assert torch.equal(batch["labels"], read["labels"]) and batch["input_ids"].shape == (2, 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "without anything to process"),
        ({"audio": [0.1], "text": "A"}, "audio and text are both inputs"),
        ({"audio_target": [0.1], "text_target": "A"}, "are both targets"),
    ],
)
def test_processor_refuses(processor: SpeechT5Processor, given: dict, message: str) -> None:
    with pytest.raises(ProcessingError, match=message):
        processor(**given)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I have 5 dogs", "I have five dogs"),
        ("-$5.50, 20,000%", "minus five point five zero dollars, twenty thousand percent"),
        ("1100 and 12345", "one thousand one hundred and twelve thousand three hundred and forty five"),
        ("$1.00 or €1.01", "one dollars or one point zero one euros"),
        ("3.14 1.2.3 3:45", "three point one four one point two.three three:forty five"),
        ("5th a1b 5cm 1e6", "5th a1b 5cm 1e6"),
        ("0.5", " point five"),
        ("1" + "0" * 36, "1" + "0" * 36),
    ],
)
def test_numbers(text: str, words: str) -> None:
    assert spell_numbers(text) == words
