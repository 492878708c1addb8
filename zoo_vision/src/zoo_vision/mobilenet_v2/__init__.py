"""MobileNetV2 (https://arxiv.org/abs/1801.04381)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mobilenet_v2",
    config="zoo_vision.mobilenet_v2.config:MobileNetV2Config",
    models=classes(
        "zoo_vision.mobilenet_v2.model",
        AutoModel="MobileNetV2Model",
        AutoModelForImageClassification="MobileNetV2ForImageClassification",
        AutoModelForSemanticSegmentation="MobileNetV2ForSemanticSegmentation",
    ),
    image_processor="zoo_vision.processing.dense:MobileNetV2ImageProcessor",
)
