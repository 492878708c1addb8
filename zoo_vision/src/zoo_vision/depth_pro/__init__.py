"""Depth Pro (https://arxiv.org/abs/2410.02073)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="depth_pro",
    config="zoo_vision.depth_pro.config:DepthProConfig",
    models=classes(
        "zoo_vision.depth_pro.model",
        AutoModel="DepthProModel",
        AutoModelForDepthEstimation="DepthProForDepthEstimation",
    ),
    image_processor="zoo_vision.processing.dense:DepthProImageProcessor",
)
