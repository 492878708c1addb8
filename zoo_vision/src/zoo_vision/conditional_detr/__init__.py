"""Conditional DETR (https://arxiv.org/abs/2108.06152)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="conditional_detr",
    config="zoo_vision.conditional_detr.config:ConditionalDetrConfig",
    models=classes(
        "zoo_vision.conditional_detr.model",
        AutoModel="ConditionalDetrModel",
        AutoModelForObjectDetection="ConditionalDetrForObjectDetection",
    ),
    image_processor="zoo_vision.processing.detection:ConditionalDetrImageProcessor",
)
