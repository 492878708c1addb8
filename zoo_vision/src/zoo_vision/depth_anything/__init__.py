"""Depth Anything (https://arxiv.org/abs/2401.10891)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="depth_anything",
    config="zoo_vision.depth_anything.config:DepthAnythingConfig",
    models=classes(
        "zoo_vision.depth_anything.model",
        AutoModelForDepthEstimation="DepthAnythingForDepthEstimation",
    ),
    image_processor="zoo_vision.processing.dense:DPTImageProcessor",
)
