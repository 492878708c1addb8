"""MobileNetV1 (https://arxiv.org/abs/1704.04861)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mobilenet_v1",
    config="zoo_vision.mobilenet_v1.config:MobileNetV1Config",
    models=classes(
        "zoo_vision.mobilenet_v1.model",
        AutoModel="MobileNetV1Model",
        AutoModelForImageClassification="MobileNetV1ForImageClassification",
    ),
    image_processor="zoo_vision.processing.classification:MobileNetV1ImageProcessor",
)
