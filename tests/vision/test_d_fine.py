"""D-FINE: what its distributions of sides should be, and that it can be trained."""

import torch

from zoo_vision.d_fine.config import DFineConfig
from zoo_vision.d_fine.model import DFineForObjectDetection, bin_distances, box_of_sides
from zoo_vision.losses.sides import neighbours, side_distances, side_losses

SCALE = torch.tensor([4.0])
BINS = bin_distances(32, torch.tensor([0.5]), SCALE)


def boxes(count, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(count, 4, generator=draw) * 0.3 + 0.3


def test_distances_lead_to_the_box_they_were_measured_for():
    first, wanted = boxes(5), boxes(5, seed=1)
    torch.testing.assert_close(box_of_sides(first, side_distances(first, wanted, SCALE), SCALE), wanted)


def test_a_distance_lies_between_its_neighbours_and_stays_inside_of_the_bins():
    distances = torch.tensor([0.0, 0.013, -0.7, 99.0, -99.0])
    left, share = neighbours(distances, BINS)
    within = BINS[left] * (1 - share) + BINS[left + 1] * share
    torch.testing.assert_close(within, distances.clamp(BINS[0], BINS[-1]))


def test_sides_that_say_where_the_box_is_lose_little_and_the_last_layer_nothing():
    first = boxes(3)[None]
    left, share = neighbours(side_distances(first[0], first[0] + 0.01, SCALE), BINS)
    certain = torch.full((1, 3, 4, 33), -30.0)
    certain.scatter_(3, left[None, ..., None], (1 - share).log()[None, ..., None])
    certain.scatter_(3, left[None, ..., None] + 1, share.log()[None, ..., None])
    found = {"pred_boxes": first + 0.01, "ref_points": first, "logits": torch.zeros(1, 3, 2)}
    targets = [{"boxes": first[0] + 0.01, "class_labels": torch.zeros(3, dtype=torch.long)}]
    pairs = [(torch.arange(3), torch.arange(3))]
    own, flat = certain.flatten(2), torch.zeros(1, 3, 132)
    losses = {
        name: side_losses(
            found | {"pred_corners": sides, "teacher_corners": own, "teacher_logits": found["logits"]},
            targets,
            pairs,
            torch.tensor(3.0),
            BINS,
            SCALE,
        )
        for name, sides in (("own", own), ("flat", flat))
    }
    entropy = -(share * share.log() + (1 - share) * (1 - share).log()).sum() / 3
    torch.testing.assert_close(losses["own"]["loss_fgl"], entropy, rtol=1e-4, atol=1e-4)
    assert losses["own"]["loss_ddf"] == 0 < losses["flat"]["loss_ddf"]
    assert losses["own"]["loss_fgl"] < losses["flat"]["loss_fgl"]


def test_training_counts_every_layer_and_reaches_every_head():
    backbone = {
        "model_type": "hgnet_v2",
        "stem_channels": [3, 8, 8],
        "hidden_sizes": [8, 8, 8, 8],
        "stage_in_channels": [8, 8, 8, 8],
        "stage_mid_channels": [8, 8, 8, 8],
        "stage_out_channels": [8, 8, 8, 8],
        "stage_num_blocks": [1, 1, 1, 1],
        "stage_downsample": [False, True, True, True],
        "stage_light_block": [False, False, True, True],
        "stage_kernel_size": [3, 3, 5, 5],
        "stage_numb_of_layers": [1, 1, 1, 1],
        "out_features": ["stage2", "stage3", "stage4"],
    }
    config = DFineConfig(
        backbone_config=backbone,
        encoder_in_channels=[8, 8, 8],
        encoder_hidden_dim=16,
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        decoder_in_channels=[16, 16, 16],
        d_model=16,
        decoder_layers=2,
        decoder_ffn_dim=16,
        decoder_attention_heads=2,
        decoder_n_points=[2, 2, 2],
        num_queries=10,
        num_denoising=4,
        num_labels=3,
    )
    torch.manual_seed(0)
    model = DFineForObjectDetection(config).train()
    labels = [
        {"class_labels": torch.tensor([1, 0]), "boxes": boxes(2)},
        {"class_labels": torch.tensor([2]), "boxes": boxes(1)},
    ]
    output = model(torch.rand(2, 3, 64, 64), labels=labels)
    kinds = ["vfl", "bbox", "giou"]
    sided = [*kinds, "fgl", "ddf"]
    names = [
        kinds,
        *(
            [f"{k}_{end}" for k in ks]
            for ks, end in ((sided, "aux_0"), (kinds, "aux_1"), (sided, "dn_0"), (sided, "dn_1"))
        ),
    ]
    assert list(output.loss_dict) == [f"loss_{name}" for own in names for name in own]
    output.loss.backward()
    heads = [*model.bbox_embed, *model.class_embed, model.model.decoder.pre_bbox_head]
    assert all(p.grad is not None and p.grad.isfinite().all() for head in heads for p in head.parameters())
