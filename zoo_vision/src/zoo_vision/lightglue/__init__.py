"""LightGlue (https://arxiv.org/abs/2306.13643)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="lightglue",
    config="zoo_vision.lightglue.config:LightGlueConfig",
    models=classes(
        "zoo_vision.lightglue.model",
        AutoModel="LightGlueForKeypointMatching",
        AutoModelForKeypointMatching="LightGlueForKeypointMatching",
    ),
    image_processor="zoo_vision.processing.keypoints:LightGlueImageProcessor",
)
