"""SeamlessM4T v2: characters between subwords and units, chunks of speech, and speech all at once."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_audio.seamless_m4t_v2.config import SeamlessM4Tv2Config
from zoo_audio.seamless_m4t_v2.conformer import ChunkedSpeechEncoder
from zoo_audio.seamless_m4t_v2.model import SeamlessM4Tv2Model
from zoo_audio.seamless_m4t_v2.units import character_counts, characters, repeated

SIZES: dict[str, Any] = {
    "vocab_size": 40,
    "t2u_vocab_size": 30,
    "char_vocab_size": 30,
    "unit_hifi_gan_vocab_size": 30,
    "hidden_size": 8,
    "vocoder_offset": 0,
    "unit_embed_dim": 6,
    "lang_embed_dim": 4,
    "spkr_embed_dim": 4,
    "vocoder_num_langs": 2,
    "upsample_initial_channel": 8,
    "upsample_rates": [2, 2],
    "upsample_kernel_sizes": [4, 4],
    "speech_encoder_layers": 1,
    "speech_encoder_intermediate_size": 8,
    "speech_encoder_attention_heads": 2,
    "conv_depthwise_kernel_size": 5,
    "t2u_variance_predictor_embed_dim": 8,
    "t2u_variance_predictor_hidden_dim": 4,
    **{
        f"{part}{name}": value
        for part in ("encoder_", "decoder_", "t2u_encoder_", "t2u_decoder_")
        for name, value in {"layers": 1, "ffn_dim": 8, "attention_heads": 2}.items()
    },
}


@pytest.mark.parametrize(
    ("subwords", "counts"),
    [
        (["▁a", "bc", "▁de"], [2, 2, 3]),
        (["#", "▁-", "-", "▁?x"], [2, 1, 2, 2]),  # the space after a mark counts with the mark
        (["▁", ".", "▁", "5"], [1, 1, 1, 1]),  # a lone space is no such space
        (["..", "▁é"], [2, 2]),
    ],
)
def test_characters_of_subwords(subwords: list[str], counts: list[int]) -> None:
    assert character_counts(subwords, [False] * len(subwords)) == counts


def test_spelling() -> None:
    words = {"0": "<pad>", "1": "<unk>", "4": "▁ab", "5": "."}
    chars, counts = characters(
        torch.tensor([[4, 5, 1, 4], [5, 0, 0, 0]]), words, {"▁": 7, "a": 8, ".": 9}, pad=0
    )
    assert counts.tolist() == [[3, 1, 1, 3], [1, 0, 0, 0]]
    assert chars.tolist() == [[7, 8, 1, 9, 1, 7, 8, 1], [9, 0, 0, 0, 0, 0, 0, 0]]


def test_states_are_repeated() -> None:
    hidden = torch.arange(6.0).view(2, 3, 1)
    assert repeated(hidden, torch.tensor([[2, 0, 1], [1, 0, 0]])).squeeze(-1).tolist() == [
        [0, 0, 2],
        [3, 0, 0],
    ]


def test_a_frame_sees_its_chunk_and_those_before() -> None:
    sizes = {"speech_encoder_chunk_size": 2, "speech_encoder_left_chunk_num": 1}
    encoder = ChunkedSpeechEncoder(SeamlessM4Tv2Config(**SIZES, **sizes))
    seen = encoder.attended(torch.zeros(1, 6, 8), None)
    assert seen is not None
    assert (seen == 0)[0, 0].int().tolist() == [[1, 1, 0, 0, 0, 0]] * 2 + [[1, 1, 1, 1, 0, 0]] * 2 + [
        [0, 0, 1, 1, 1, 1]
    ] * 2
    assert encoder.attended(torch.zeros(1, 2, 8), None) is None


@pytest.mark.parametrize("copies", [1, 2])
def test_speech(copies: int) -> None:
    torch.manual_seed(0)
    model = SeamlessM4Tv2Model(SeamlessM4Tv2Config(**SIZES)).eval()
    settings = model.settings()
    settings.max_new_tokens = 6
    settings.text_decoder_lang_to_code_id = {"eng": 30}
    settings.vocoder_lang_code_to_id = {"eng": 0}
    settings.id_to_text = {str(i): "▁" * (i % 2) + "abcd"[i % 4] for i in range(40)}
    settings.char_to_id = {"▁": 4, "a": 5, "b": 6, "c": 7, "d": 8}
    output = model.generate(
        input_features=torch.randn(2, 24, 160),
        tgt_lang="eng",
        return_intermediate_token_ids=True,
        num_beams=2,
        text_num_return_sequences=copies,
    )
    assert len(output.waveform) == len(output.sequences) == len(output.unit_sequences) == 2 * copies
    assert (
        output.sequences[:, 1].eq(30).all() and int(output.waveform_lengths.max()) <= output.waveform.shape[1]
    )
