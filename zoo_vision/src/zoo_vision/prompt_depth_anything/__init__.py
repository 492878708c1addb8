"""Prompt Depth Anything (https://arxiv.org/abs/2412.14015)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="prompt_depth_anything",
    config="zoo_vision.prompt_depth_anything.config:PromptDepthAnythingConfig",
    models=classes(
        "zoo_vision.prompt_depth_anything.model",
        AutoModelForDepthEstimation="PromptDepthAnythingForDepthEstimation",
    ),
    image_processor="zoo_vision.processing.dense:PromptDepthAnythingImageProcessor",
)
