"""SuperGlue (https://arxiv.org/abs/1911.11763)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="superglue",
    config="zoo_vision.superglue.config:SuperGlueConfig",
    models=classes(
        "zoo_vision.superglue.model",
        AutoModel="SuperGlueForKeypointMatching",
        AutoModelForKeypointMatching="SuperGlueForKeypointMatching",
    ),
    image_processor="zoo_vision.processing.keypoints:SuperGlueImageProcessor",
)
