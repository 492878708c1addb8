"""EfficientLoFTR: a pair of equal images matches itself; sizes that its cells cannot cover are refused."""

import pytest
import torch

from zoo_core.errors import ConfigError
from zoo_vision.efficientloftr.config import EfficientLoFTRConfig
from zoo_vision.efficientloftr.matching import EfficientLoFTRForKeypointMatching


def small(**fields) -> EfficientLoFTRConfig:
    return EfficientLoFTRConfig(
        **{
            "stage_num_blocks": [1, 1, 1, 1],
            "out_features": [16, 16, 24, 32],
            "hidden_size": 32,
            "num_attention_layers": 1,
            "num_attention_heads": 2,
            "partial_rotary_factor": 1.0,
            "coarse_matching_threshold": 0.0,
            "coarse_matching_border_removal": 1,
            **fields,
        }
    )


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return EfficientLoFTRForKeypointMatching(small()).eval()


def test_matches_are_mutual_and_keep_off_the_border(model):
    image = torch.rand(1, 1, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = model(image.expand(-1, 2, -1, -1, -1))
    first, second = found.matches[0]
    cells = (first > -1).nonzero().flatten()
    assert len(cells) and torch.equal(second[first[cells]], cells)
    places = torch.stack((cells // 12, cells % 12))
    assert (places > 0).all() and (places < torch.tensor([[7], [11]])).all()
    assert torch.equal(found.matching_scores[0, 0] > 0, first > -1)


def test_sides_must_hold_whole_cells(model):
    with pytest.raises(ValueError, match="multiples of 8"):
        model(torch.rand(1, 2, 3, 64, 100))


def test_a_slice_wider_than_half_of_the_features_is_refused():
    with pytest.raises(ConfigError, match="at most half of the finest 16 features"):
        small(fine_matching_slice_dim=12)
