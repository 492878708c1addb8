"""EfficientNet (https://arxiv.org/abs/1905.11946)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="efficientnet",
    config="zoo_vision.efficientnet.config:EfficientNetConfig",
    models=classes(
        "zoo_vision.efficientnet.model",
        AutoModel="EfficientNetModel",
        AutoModelForImageClassification="EfficientNetForImageClassification",
    ),
    image_processor="zoo_vision.processing.classification:EfficientNetImageProcessor",
)
