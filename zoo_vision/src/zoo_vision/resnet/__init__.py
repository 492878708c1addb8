"""ResNet (https://arxiv.org/abs/1512.03385)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="resnet",
    config="zoo_vision.resnet.config:ResNetConfig",
    models=classes(
        "zoo_vision.resnet.model",
        AutoModel="ResNetModel",
        AutoModelForImageClassification="ResNetForImageClassification",
        AutoBackbone="ResNetBackbone",
    ),
    image_processor="zoo_vision.processing.classification:ConvNextImageProcessor",
)
