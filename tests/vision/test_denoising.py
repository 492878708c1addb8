"""Noised objects in the training of detectors."""

from __future__ import annotations

import torch

from zoo_vision.losses.boxes import corners, paired_iou
from zoo_vision.losses.denoising import NoisedObjects, noised_objects

TARGETS = [
    {
        "class_labels": torch.tensor([1, 3]),
        "boxes": torch.tensor([[0.5, 0.5, 0.2, 0.2], [0.3, 0.6, 0.3, 0.1]]),
    },
    {"class_labels": torch.tensor([2]), "boxes": torch.tensor([[0.4, 0.4, 0.4, 0.4]])},
]


def noised(*, wanted: int = 6, label_noise: float = 0.0, box_noise: float = 1.0) -> NoisedObjects:
    torch.manual_seed(0)
    found = noised_objects(
        TARGETS,
        classes=5,
        queries=4,
        wanted=wanted,
        label_noise=label_noise,
        box_noise=box_noise,
        device=torch.device("cpu"),
    )
    assert found is not None
    return found


def test_each_group_holds_all_objects_near_and_far() -> None:
    found = noised()
    assert found.groups == 3 and found.boxes.shape == (2, 12, 4)
    assert found.classes.tolist() == [[1, 3] * 6, [2, 5] * 6]
    assert [places.tolist() for places, _ in found.pairs] == [[0, 1, 4, 5, 8, 9], [0, 4, 8]]
    assert [objects.tolist() for _, objects in found.pairs] == [[0, 1] * 3, [0] * 3]


def test_near_boxes_overlap_their_object_and_far_ones_less() -> None:
    found = noised(wanted=400, box_noise=0.5)
    boxes = corners(found.boxes[0].sigmoid()).view(-1, 2, 2, 4)  # groups, near or far, objects
    fit, _ = paired_iou(boxes, corners(TARGETS[0]["boxes"]).expand_as(boxes))
    assert fit[:, 0].mean() > 0.6 > fit[:, 1].mean()


def test_groups_see_themselves_and_the_queries() -> None:
    visible = noised(wanted=4).visible[0]  # two groups of four, and four queries
    assert visible[:4].tolist() == [[True] * 4 + [False] * 4 + [True] * 4] * 4
    assert visible[8:].tolist() == [[False] * 8 + [True] * 4] * 4


def test_half_the_label_noise_changes_a_class() -> None:
    found = noised(wanted=2000, label_noise=0.5)
    changed = (found.classes[0].view(-1, 2) != torch.tensor([1, 3])).float().mean()
    assert 0.16 < changed < 0.24  # a quarter is drawn anew, of which a fifth draws its own class
    assert (found.classes[1].view(-1, 2)[:, 1] == 5).all()


def test_without_objects_there_is_nothing_to_restore() -> None:
    empty = [{"class_labels": torch.zeros(0, dtype=torch.long), "boxes": torch.zeros(0, 4)}]
    assert (
        noised_objects(
            empty, classes=5, queries=4, wanted=6, label_noise=0.5, box_noise=1.0, device=torch.device("cpu")
        )
        is None
    )
