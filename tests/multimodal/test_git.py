"""GIT: captions and answers, whatever the padding, the cache and the method."""

from __future__ import annotations

import pytest
import torch

from zoo_core import AutoModelForCausalLM
from zoo_multimodal.git.config import GitConfig
from zoo_multimodal.git.model import GitForCausalLM

VISION = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2,
          "image_size": 8, "patch_size": 4}  # fmt: skip
IMAGES = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
VIDEOS = torch.rand(2, 2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
FIVE = {"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": False}


@pytest.fixture(scope="module")
def model() -> GitForCausalLM:
    torch.manual_seed(0)
    config = GitConfig(
        vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=32, bos_token_id=1, eos_token_id=2, num_image_with_embedding=2,
        initializer_range=0.4, vision_config=VISION,
    )  # fmt: skip
    made = AutoModelForCausalLM.from_config(config).eval()
    assert isinstance(made, GitForCausalLM)
    return made


@pytest.mark.parametrize("pixels", [IMAGES, VIDEOS], ids=["image", "video"])
@pytest.mark.parametrize(
    "method", [{}, {"num_beams": 3}, {"cache_implementation": "static"}, {"prompt_lookup_num_tokens": 2}]
)
def test_a_question_padded_on_the_left_gets_the_same_answer(
    model: GitForCausalLM, pixels: torch.Tensor, method: dict[str, object]
) -> None:
    padded = {"input_ids": torch.tensor([[0, 0, 5, 6]]), "attention_mask": torch.tensor([[0, 0, 1, 1]])}
    plain = {"use_cache": False, "num_beams": method.get("num_beams", 1), **FIVE}
    expected = model.generate(torch.tensor([[5, 6]]), pixel_values=pixels[:1], **plain)
    answered = model.generate(**padded, pixel_values=pixels[:1], **method, **FIVE)
    assert answered[0, 4:].tolist() == expected[0, 2:].tolist()


def test_captions_start_from_nothing(model: GitForCausalLM) -> None:
    captions = model.generate(pixel_values=IMAGES, **FIVE)
    assert captions.shape == (2, 6) and captions[:, 0].tolist() == [1, 1]
    one = model.generate(pixel_values=IMAGES[1:], **FIVE)
    assert captions[1].tolist() == one[0].tolist()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 3, 3, 8, 8), "up to 2 frames"),
        ((3, 8, 8), "pass images"),
        ((3, 3, 8, 8), "3 images or videos for 2 texts"),
    ],
)
def test_images_that_do_not_fit_are_named(
    model: GitForCausalLM, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        model(torch.tensor([[5], [6]]), pixel_values=torch.zeros(shape))
