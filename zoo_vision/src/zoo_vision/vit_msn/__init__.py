"""Masked Siamese Networks (https://arxiv.org/abs/2204.07141)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vit_msn",
    config="zoo_vision.vit_msn.config:ViTMSNConfig",
    models=classes(
        "zoo_vision.vit_msn.model",
        AutoModel="ViTMSNModel",
        AutoModelForImageClassification="ViTMSNForImageClassification",
    ),
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
)
