"""LightGlue: pairs that are done early and keypoints that are left out change nothing for the others."""

import pytest
import torch

from zoo_vision.lightglue.config import LightGlueConfig
from zoo_vision.lightglue.model import LightGlueForKeypointMatching

DETECTOR = {
    "model_type": "superpoint",
    "encoder_hidden_sizes": [8, 8, 8],
    "decoder_hidden_size": 8,
    "descriptor_decoder_dim": 16,
    "nms_radius": 2,
    "max_keypoints": 40,
}


@pytest.mark.parametrize(
    ("depth", "width"), [(0.95, 0.55), (0.5, 0.6), (-1.0, 0.6), (0.45, -1.0), (-1.0, -1.0)]
)
def test_a_batch_gives_what_each_pair_gives_alone(depth: float, width: float) -> None:
    generator = torch.Generator().manual_seed(3)
    config = LightGlueConfig(
        descriptor_dim=32,
        num_hidden_layers=5,
        num_attention_heads=2,
        keypoint_detector_config=DETECTOR,
        depth_confidence=depth,
        width_confidence=width,
        filter_threshold=0.0,
    )
    model = LightGlueForKeypointMatching(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(std=0.3, generator=generator)
        for confidence in model.confidences:
            confidence.token.bias.fill_(1.7)
        pixels = torch.rand(3, 2, 3, 48, 64, generator=generator)
        joined = model(pixels)
        alone = [model(pair[None]) for pair in pixels]
    for name in ("matches", "prune"):
        assert torch.equal(joined[name], torch.cat([one[name] for one in alone])), name
    expected = torch.cat([one.matching_scores for one in alone])
    torch.testing.assert_close(joined.matching_scores, expected, atol=1e-6, rtol=1e-4)
    if width > 0:
        assert 1 <= joined.prune.min() < joined.prune.max() <= 5
