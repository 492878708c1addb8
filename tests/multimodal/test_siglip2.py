"""SigLIP 2 and AIMv2: images of any shape, padding that leaves no trace, and input that they refuse."""

from __future__ import annotations

import pytest
import torch

from zoo_core.errors import ConfigError
from zoo_multimodal.aimv2.config import Aimv2Config
from zoo_multimodal.aimv2.model import Aimv2Model, grid_sinusoids
from zoo_multimodal.siglip2.config import Siglip2Config, Siglip2VisionConfig
from zoo_multimodal.siglip2.model import Siglip2Model

SIZES = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2}
TEXTS = {**SIZES, "vocab_size": 30, "max_position_embeddings": 20}
IDS = torch.tensor([[5, 6, 7, 2]])


@pytest.fixture
def model() -> Siglip2Model:
    torch.manual_seed(0)
    vision = {**SIZES, "num_patches": 9, "patch_size": 2}
    return Siglip2Model(Siglip2Config(text_config=TEXTS, vision_config=vision)).eval()


def test_padding_of_patches_changes_nothing(model: Siglip2Model) -> None:
    patches, grid = torch.rand(1, 6, 12), torch.tensor([[2, 3]])
    alone = model.get_image_features(patches, torch.ones(1, 6), grid)
    padded = torch.cat((patches, torch.rand(1, 4, 12)), dim=1)
    mask = (torch.arange(10) < 6).long()[None]
    assert torch.allclose(model.get_image_features(padded, mask, grid), alone, atol=1e-6)
    output = model(IDS, padded, mask, grid, return_loss=True)
    assert output.loss.isfinite() and output.logits_per_text.shape == (1, 1)


def test_the_trained_grid_is_not_stretched(model: Siglip2Model) -> None:
    vision = model.vision_model
    positions = vision.positions([[3, 3], [1, 2]], 9)
    assert torch.allclose(positions[0], vision.position_embedding, atol=1e-6)
    assert torch.equal(positions[1, 2:], positions[1, :1].expand(7, -1))


def test_wrong_patches(model: Siglip2Model) -> None:
    with pytest.raises(ValueError, match="a grid of 3 x 4 patches, but pixel_values hold 6"):
        model.get_image_features(torch.rand(1, 6, 12), torch.ones(1, 6), torch.tensor([[3, 4]]))
    with pytest.raises(ValueError, match="spatial_shapes"):
        model.get_image_features(torch.rand(1, 6, 12))
    with pytest.raises(ConfigError, match="square"):
        Siglip2VisionConfig(num_patches=8)


def test_native_images_of_any_size() -> None:
    torch.manual_seed(0)
    vision = {**SIZES, "patch_size": 4, "is_native": True}
    model = Aimv2Model(Aimv2Config(text_config=TEXTS | {"eos_token_id": 2}, vision_config=vision)).eval()
    output = model(IDS, torch.rand(2, 3, 8, 12))
    assert output.vision_model_output.last_hidden_state.shape == (2, 6, 8)
    assert output.logits_per_image.shape == (2, 1)
    table = grid_sinusoids(2, 3, 8)
    assert torch.equal(table[0], table[3].where(torch.tensor([1, 1, 1, 1, 0, 0, 0, 0]).bool(), table[0]))
