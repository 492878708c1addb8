"""DETA: cells that survive suppression, and objects that train several queries."""

import torch

from zoo_vision.deta.config import DetaConfig
from zoo_vision.deta.model import DetaModel
from zoo_vision.losses.overlap import OverlapRule, assign_by_overlap
from zoo_vision.resnet.config import ResNetConfig


def test_cells_are_taken_level_by_level_without_those_that_overlap_a_better_one():
    backbone = ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = DetaConfig(
        backbone_config=backbone,
        d_model=32,
        num_feature_levels=3,
        two_stage_num_proposals=4,
        encoder_layers=1,
        decoder_layers=1,
    )
    model = DetaModel(config)
    places = torch.tensor(
        [[0.0, 0.0], [0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [0.5, 0.5], [0.0, 0.0], [0.5, 0.5]]
    )
    areas = torch.cat((places, places + 0.4), dim=1)
    scores = torch.tensor([5.0, 6.0, 4.0, 3.0, 2.0, 1.0, 0.5])
    cells = model.surviving_cells(scores, areas, ((1, 5), (1, 1), (1, 1)))
    assert cells.tolist() == [1, 2, 5, 6]  # the best of each level, and the best of those that are left


def test_an_object_gets_the_candidates_that_overlap_it_most_and_at_least_one():
    box = torch.tensor([0.5, 0.5, 0.2, 0.2])
    moved = torch.tensor(
        [[0.0, 0.0, 0.0, 0.0], [0.02, 0.0, 0.0, 0.0], [0.01, 0.0, 0.0, 0.0], [0.3, 0.0, 0.0, 0.0]]
    )
    targets = [
        {"boxes": box[None], "class_labels": torch.tensor([0])},
        {"boxes": torch.tensor([[0.5, 0.6, 0.2, 0.2]]), "class_labels": torch.tensor([0])},
        {"boxes": torch.zeros(0, 4), "class_labels": torch.zeros(0, dtype=torch.long)},
    ]
    candidates = (box + moved).expand(3, -1, -1)
    first, second, none = assign_by_overlap(candidates, targets, OverlapRule(0.6, 100, each=2))
    assert first[0].tolist() == [0, 2] and first[1].tolist() == [0, 0]
    assert second[0].tolist() == [0] and len(none[0]) == 0
