"""The Perceiver: parts of an output, stretched positions, several blocks, bad input."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_multimodal.perceiver.config import PerceiverConfig
from zoo_multimodal.perceiver.model import (
    PerceiverForImageClassificationLearned,
    PerceiverForMaskedLM,
    PerceiverForMultimodalAutoencoding,
    PerceiverForOpticalFlow,
    PerceiverModel,
)

SMALL: dict[str, Any] = {
    "num_latents": 4,
    "d_latents": 8,
    "d_model": 8,
    "num_self_attends_per_block": 1,
    "num_self_attention_heads": 2,
    "num_cross_attention_heads": 1,
    "vocab_size": 20,
    "max_position_embeddings": 6,
    "image_size": 8,
    "num_labels": 3,
}
VIDEO: dict[str, Any] = {
    "num_frames": 2,
    "audio_samples_per_frame": 8,
    "samples_per_patch": 4,
    "output_shape": [1, 2, 8, 8],
    "output_num_channels": 6,
}


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_part_of_a_reconstruction_is_that_part_of_the_whole() -> None:
    model = PerceiverForMultimodalAutoencoding(PerceiverConfig(**SMALL, **VIDEO)).eval()
    inputs = {"image": torch.rand(2, 2, 3, 8, 8), "audio": torch.rand(2, 16, 1), "label": torch.zeros(2, 3)}
    whole = model(inputs).logits
    assert {name: tuple(x.shape) for name, x in whole.items()} == {
        "audio": (2, 16),
        "image": (2, 128, 3),
        "label": (2, 3),
    }
    part = model(inputs, subsampled_output_points={"audio": torch.tensor([1]), "image": torch.tensor([5])})
    assert part.logits["audio"].shape == (2, 4) and part.logits["image"].shape == (2, 1, 3)
    assert torch.allclose(part.logits["label"], whole["label"], atol=1e-6)
    other = model({**inputs, "label": torch.ones(2, 3)}).logits
    assert torch.equal(other["label"], whole["label"]), "the label is hidden"
    with pytest.raises(ValueError, match=r"inputs of \['audio'\]"):
        model({"audio": inputs["audio"]})


def test_blocks_share_their_weights_and_stand_in_the_states_twice() -> None:
    one, three = (PerceiverModel(PerceiverConfig(**SMALL, num_blocks=n)).eval() for n in (1, 3))
    three.load_state_dict(one.state_dict())
    states = three(torch.rand(1, 5, 8), output_hidden_states=True).hidden_states
    assert len(states) == 6 and torch.equal(states[1], states[2])


def test_positions_stretch_to_other_images() -> None:
    config = PerceiverConfig(**{**SMALL, "num_cross_attention_heads": 2})
    model = PerceiverForImageClassificationLearned(config).eval()
    image = torch.rand(1, 3, 8, 8)
    assert torch.equal(model(image).logits, model(pixel_values=image, interpolate_pos_encoding=True).logits)
    assert model(torch.rand(1, 3, 12, 6), interpolate_pos_encoding=True).logits.shape == (1, 3)
    with pytest.raises(ValueError, match="interpolate_pos_encoding"):
        model(torch.rand(1, 3, 12, 6))


def test_padding_is_not_read() -> None:
    model = PerceiverForMaskedLM(PerceiverConfig(**SMALL)).eval()
    ids, mask = torch.tensor([[3, 4, 5, 0]]), torch.tensor([[1, 1, 1, 0]])
    assert torch.allclose(model(ids, attention_mask=mask).logits, model(ids[:, :3]).logits, atol=1e-6)


def test_bad_input() -> None:
    config = PerceiverConfig(**SMALL, train_size=[4, 4])
    with pytest.raises(ValueError, match="either inputs or input_ids"):
        PerceiverForMaskedLM(config)()
    with pytest.raises(ValueError, match="7 tokens"):
        PerceiverForMaskedLM(config)(torch.zeros(1, 7, dtype=torch.long))
    with pytest.raises(ValueError, match="d_model"):
        PerceiverModel(config)(torch.rand(1, 5, 9))
    with pytest.raises(ValueError, match="train_size"):
        PerceiverForOpticalFlow(config)(torch.rand(1, 2, 27, 4, 5))
    with pytest.raises(ValueError, match="divisible by num_heads"):
        PerceiverModel(PerceiverConfig(**{**SMALL, "num_cross_attention_heads": 3}))
