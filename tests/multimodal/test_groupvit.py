"""GroupViT: patches that become groups, what each pixel is called, and both towers' features."""

from __future__ import annotations

import pytest
import torch

from zoo_core.errors import ConfigError
from zoo_multimodal.groupvit.config import GroupViTConfig, GroupViTVisionConfig
from zoo_multimodal.groupvit.model import GroupViTModel, grouping

SIZES = {"hidden_size": 8, "intermediate_size": 12, "num_attention_heads": 2}
TEXT = {**SIZES, "num_hidden_layers": 1, "vocab_size": 30, "max_position_embeddings": 20, "eos_token_id": 29}
VISION = {
    **SIZES,
    "image_size": 16,
    "patch_size": 4,
    "depths": [1, 1, 1],
    "num_group_tokens": [6, 3, 0],
    "num_output_groups": [6, 3, 3],
}
IDS = torch.tensor([[5, 6, 7, 29], [9, 29, 1, 1]])
PIXELS = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model() -> GroupViTModel:
    torch.manual_seed(0)
    config = GroupViTConfig(
        text_config=TEXT, vision_config=VISION, projection_dim=6, projection_intermediate_dim=10
    )
    return GroupViTModel(config).eval()


def test_patches_become_groups(model: GroupViTModel) -> None:
    output = model.vision_model(PIXELS, output_hidden_states=True, output_attentions=True)
    assert [state.shape[1] for state in output.hidden_states] == [16, 6, 3, 3]
    first, second = output.attentions
    assert first.shape == (2, 6, 16) and second.shape == (2, 3, 6)
    assert torch.allclose(first.sum(1), torch.ones(2, 16))  # a patch is in one group or another


def test_pixels_are_named(model: GroupViTModel) -> None:
    output = model(IDS, PIXELS, output_segmentation=True, return_loss=True)
    assert output.segmentation_logits.shape == (2, 2, 16, 16) and output.loss.isfinite()
    assert model(IDS, PIXELS).segmentation_logits is None
    images = torch.nn.functional.normalize(model.get_image_features(PIXELS), dim=-1)
    assert torch.allclose(images, output.image_embeds, atol=1e-6)


def test_shares_of_groups() -> None:
    first = torch.eye(4).view(1, 4, 4)
    second = torch.tensor([[[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]])
    assert grouping((first, second), 2, 2).tolist() == [[[[1, 1], [0, 0]], [[0, 0], [1, 1]]]]


def test_training_draws_groups(model: GroupViTModel) -> None:
    model.train()
    model(IDS, PIXELS, return_loss=True).loss.backward()
    assert model.vision_model.stages[0].downsample.assign.q_proj.weight.grad.abs().sum() > 0


def test_lists_of_stages() -> None:
    with pytest.raises(ConfigError, match="an entry for each stage, of which depths gives 3"):
        GroupViTVisionConfig(num_group_tokens=[6, 3])
