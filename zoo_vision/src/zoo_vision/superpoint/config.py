"""Configuration of SuperPoint."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field


class SuperPointConfig(PretrainedConfig):
    """Sizes of the network, and which keypoints are kept.

    Those that score above `keypoint_threshold`, highest within `nms_radius` pixels, `border_removal_distance`
    pixels from the top and the left, and of these the best `max_keypoints` (-1: all).
    """

    model_type = "superpoint"

    encoder_hidden_sizes: list[int] = field([64, 64, 128, 128])
    decoder_hidden_size: int = 256
    keypoint_decoder_dim: int = 65
    descriptor_decoder_dim: int = 256
    keypoint_threshold: float = 0.005
    max_keypoints: int = -1
    nms_radius: int = 4
    border_removal_distance: int = 4
    initializer_range: float = 0.02
