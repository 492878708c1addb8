"""Pop2Piano: an arranger's vector before the frames, songs parted by empty rows, and unknown arrangers."""

from __future__ import annotations

import pytest
import torch

from zoo_core.errors import GenerationError
from zoo_multimodal.pop2piano.config import Pop2PianoConfig
from zoo_multimodal.pop2piano.model import Pop2PianoForConditionalGeneration

SIZES = {"vocab_size": 40, "d_model": 8, "d_kv": 4, "d_ff": 12, "num_layers": 1, "num_heads": 2}
FRAMES = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model() -> Pop2PianoForConditionalGeneration:
    torch.manual_seed(0)
    config = Pop2PianoConfig(**SIZES, decoder_start_token_id=0)
    model = Pop2PianoForConditionalGeneration(config).eval()
    model.settings().composer_to_feature_token = {"composer1": 2052, "composer2": 2053}
    return model


def test_the_arranger_stands_in_front(model: Pop2PianoForConditionalGeneration) -> None:
    mask = torch.tensor([[1, 1, 1, 1, 1], [0, 0, 0, 0, 0]])
    joined, kept = model.get_mel_conditioner_outputs(FRAMES, "composer2", model.settings(), mask)
    assert torch.equal(joined[0, 0], model.mel_conditioner.embedding.weight[1])
    assert torch.equal(joined[0, 1:], FRAMES[0]) and not joined[1].any()
    assert kept is not None and kept.tolist() == [[1] * 6, [0] * 6]


def test_cached_is_uncached(model: Pop2PianoForConditionalGeneration) -> None:
    for beams in (1, 3):
        options = {"composer": "composer2", "num_beams": beams, "max_new_tokens": 6}
        cached = model.generate(FRAMES, **options)
        assert torch.equal(cached, model.generate(input_features=FRAMES, use_cache=False, **options))


def test_an_unknown_arranger(model: Pop2PianoForConditionalGeneration) -> None:
    with pytest.raises(GenerationError, match="composer='x' is not known; there are composer1, composer2"):
        model.generate(FRAMES, composer="x")
    with pytest.raises(GenerationError, match="pass input_features"):
        model.generate()
