"""CLVP speaks: the prompt of voice and text, what becomes of its tokens, and its processor."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_audio.clvp.model import norm_groups
from zoo_core import AutoConfig, AutoModel
from zoo_core.errors import GenerationError

TEXT = torch.tensor([[5, 9, 33, 21, 8], [7, 99, 3, 0, 0]])
VOICE = torch.sin(torch.arange(2 * 6 * 12.0)).view(2, 6, 12)
SETTINGS: dict[str, Any] = {"max_new_tokens": 6, "do_sample": False}


@pytest.fixture(scope="module")
def clvp() -> Any:
    torch.manual_seed(0)
    encoder = {"hidden_size": 32, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 1}
    decoder = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "num_mel_attn_blocks": 1}
    decoder |= {"vocab_size": 258, "max_position_embeddings": 40, "max_text_tokens": 12, "feature_size": 6}
    config = AutoConfig.for_model(
        "clvp",
        text_config={**encoder, "projection_dim": 16},
        speech_config={**encoder, "projection_dim": 16, "vocab_size": 260},
        decoder_config={**decoder, "bos_token_id": 256, "eos_token_id": 257},
        projection_dim=16,
    )
    model = AutoModel.from_config(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name:
                weight += torch.randn_like(weight) * 0.2
    return model


def test_tokens_follow_prompt_and_start(clvp: Any) -> None:
    """Generation is the decoder over vectors whose positions count from the start, the first left out."""
    mask = (TEXT != 0).long()
    ids = clvp.spoken(TEXT[:1], VOICE[:1], mask[:1], None, dict(SETTINGS))[0].tolist()
    prompt, _ = clvp.conditioning_encoder(VOICE[:1], TEXT[:1], None, mask[:1])
    body = clvp.speech_decoder_model.model
    table, written = body.embed_positions.weight, [256]
    for _ in range(6):
        places = torch.tensor([0, *range(2, len(written) + 1)])
        vectors = torch.cat((prompt[0], body.embed_tokens(torch.tensor(written)) + table[places]))
        vectors = vectors - table[: len(vectors)]  # the decoder adds those of the whole
        logits = clvp.speech_decoder_model(inputs_embeds=vectors[None], use_cache=False).logits
        written.append(int(logits[0, -1].argmax()))
    assert ids == written


def test_padded_texts_speak_as_they_do_alone(clvp: Any) -> None:
    mask = (TEXT != 0).long()
    both = clvp.generate(TEXT, VOICE, mask, **SETTINGS).speech_ids
    alone = clvp.generate(TEXT[:1], VOICE[:1], **SETTINGS).speech_ids
    assert both[0].tolist() == alone[0].tolist()
    beams = clvp.generate(TEXT[:1], VOICE, mask[:1], num_beams=2, pad_to_max_mel_tokens=12, **SETTINGS)
    assert beams.speech_ids.shape == (2, 11) and beams.logits_per_text.shape == (1, 2)
    features = clvp.get_speech_features(input_ids=TEXT, input_features=VOICE, attention_mask=mask, **SETTINGS)
    assert features.shape == (2, 16)


def test_ends_become_silence(clvp: Any) -> None:
    ids = torch.tensor([[256, 5, 6, 257, 7, 8, 9], [256, 1, 2, 3, 4, 5, 6]])
    fixed = clvp.fix_speech_decoder_output(ids).tolist()
    assert fixed == [[5, 6, 83, 45, 45, 248], [1, 2, 3, 4, 5, 6]]


def test_impossible_calls_say_what_works(clvp: Any) -> None:
    with pytest.raises(GenerationError, match="input_features, the voice"):
        clvp.generate(TEXT)
    with pytest.raises(ValueError, match="2 texts came with 3 voices"):
        clvp(TEXT, VOICE[:1].expand(3, -1, -1))
    with pytest.raises(ValueError, match="max_text_tokens is 12"):
        clvp(torch.ones(1, 11, dtype=torch.long), VOICE[:1])
    assert [norm_groups(size) for size in (16, 48, 1024)] == [8, 16, 32]
