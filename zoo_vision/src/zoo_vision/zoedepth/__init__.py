"""ZoeDepth (https://arxiv.org/abs/2302.12288)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="zoedepth",
    config="zoo_vision.zoedepth.config:ZoeDepthConfig",
    models=classes("zoo_vision.zoedepth.model", AutoModelForDepthEstimation="ZoeDepthForDepthEstimation"),
    image_processor="zoo_vision.processing.dense:ZoeDepthImageProcessor",
)
