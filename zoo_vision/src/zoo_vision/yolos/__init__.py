"""YOLOS (https://arxiv.org/abs/2106.00666)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="yolos",
    config="zoo_vision.yolos.config:YolosConfig",
    models=classes(
        "zoo_vision.yolos.model",
        AutoModel="YolosModel",
        AutoModelForObjectDetection="YolosForObjectDetection",
    ),
    image_processor="zoo_vision.processing.detection:YolosImageProcessor",
)
