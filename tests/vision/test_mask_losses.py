"""The set losses of MaskFormer and Mask2Former."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from zoo_vision.losses.masks import MaskSetLoss, PointMaskSetLoss, sample_points

WEIGHTS = {"loss_cross_entropy": 1.0, "loss_mask": 1.0, "loss_dice": 1.0}
MASKS = torch.zeros(2, 8, 8)
MASKS[0, :4], MASKS[1, 5:, 2:] = 1, 1
CLASSES = torch.tensor([2, 0])


def dense() -> MaskSetLoss:
    return MaskSetLoss(3, WEIGHTS, no_object_weight=0.1)


def pointed(points: int = 4000, important: float = 0.0) -> PointMaskSetLoss:
    return PointMaskSetLoss(
        3, WEIGHTS, no_object_weight=0.1, class_cost=1.0, points=points, oversample=2.0, important=important
    )


def answers(sure: float) -> dict[str, torch.Tensor]:
    """Three queries, of which the last answers for the first object and the first for the second."""
    order = torch.stack((MASKS[1], torch.zeros(8, 8), MASKS[0]))
    classes = F.one_hot(torch.tensor([0, 3, 2]), 4).float()
    return {
        "class_queries_logits": sure * classes[None],
        "masks_queries_logits": sure * (order[None] * 2 - 1),
    }


@pytest.mark.parametrize("make", [dense, pointed])
def test_the_right_answers_cost_little(make) -> None:
    torch.manual_seed(0)
    loss = make()
    found = answers(12.0)
    (pairs,) = loss.match(found["class_queries_logits"], found["masks_queries_logits"], [MASKS], [CLASSES])
    assert [part.tolist() for part in pairs] == [[0, 2], [1, 0]]
    right = sum(loss(found, [MASKS], [CLASSES]).values())
    wrong = sum(loss(answers(-2.0), [MASKS], [CLASSES]).values())
    assert 3 * right < wrong


def test_points_estimate_the_mean_over_pixels() -> None:
    torch.manual_seed(0)
    logits = torch.randn(2, 8, 8)
    inner = F.interpolate(logits[:, None], size=(64, 64), mode="bilinear", align_corners=False)[:, 0]
    points = torch.rand(2, 20_000, 2)
    assert torch.allclose(sample_points(logits, points).mean(1), inner.mean((1, 2)), atol=0.05)


def test_points_in_doubt_are_preferred() -> None:
    torch.manual_seed(0)
    maps = torch.linspace(-5, 5, 16).expand(1, 16, 16)
    points = pointed(200, important=1.0).doubtful_points(maps)
    away = (points[..., 0] - 0.5).abs()  # scores fall off at the border, so there may be doubt as well
    assert away.quantile(0.95) < 0.27 and points[..., 1].std() > 0.2


def test_masks_of_several_sizes_share_the_largest() -> None:
    found = {name: torch.cat((value, value)) for name, value in answers(12.0).items()}
    small = MASKS[:, :, :6]
    losses = dense()(found, [MASKS, small], [CLASSES, CLASSES])
    padded = dense()(found, [MASKS, F.pad(small, (0, 2))], [CLASSES, CLASSES])
    assert losses == padded


def test_numbers_of_masks_and_classes_must_agree() -> None:
    with pytest.raises(ValueError, match="image 0 has 2 masks and 1 classes"):
        dense()(answers(1.0), [MASKS], [CLASSES[:1]])
    with pytest.raises(ValueError, match="1 images came with 2 mask_labels"):
        dense()(answers(1.0), [MASKS, MASKS], [CLASSES])
