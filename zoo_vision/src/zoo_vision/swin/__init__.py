"""Swin Transformer (https://arxiv.org/abs/2103.14030)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="swin",
    config="zoo_vision.swin.config:SwinConfig",
    models=classes(
        "zoo_vision.swin.model",
        AutoModel="SwinModel",
        AutoModelForImageClassification="SwinForImageClassification",
        AutoModelForMaskedImageModeling="SwinForMaskedImageModeling",
        AutoBackbone="SwinBackbone",
    ),
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
)
