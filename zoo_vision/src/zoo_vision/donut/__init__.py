"""Donut's image encoder (https://arxiv.org/abs/2111.15664)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="donut-swin",
    config="zoo_vision.donut.config:DonutSwinConfig",
    models=classes(
        "zoo_vision.donut.model",
        AutoModel="DonutSwinModel",
        AutoModelForImageClassification="DonutSwinForImageClassification",
    ),
    image_processor="zoo_vision.processing.documents:DonutImageProcessor",
)
