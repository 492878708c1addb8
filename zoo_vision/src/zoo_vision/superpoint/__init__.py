"""SuperPoint (https://arxiv.org/abs/1712.07629)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="superpoint",
    config="zoo_vision.superpoint.config:SuperPointConfig",
    models=classes(
        "zoo_vision.superpoint.model",
        AutoModelForKeypointDetection="SuperPointForKeypointDetection",
    ),
    image_processor="zoo_vision.processing.keypoints:SuperPointImageProcessor",
)
