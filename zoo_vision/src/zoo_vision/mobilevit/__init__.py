"""MobileViT (https://arxiv.org/abs/2110.02178)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mobilevit",
    config="zoo_vision.mobilevit.config:MobileViTConfig",
    models=classes(
        "zoo_vision.mobilevit.model",
        AutoModel="MobileViTModel",
        AutoModelForImageClassification="MobileViTForImageClassification",
        AutoModelForSemanticSegmentation="MobileViTForSemanticSegmentation",
    ),
    image_processor="zoo_vision.processing.dense:MobileViTImageProcessor",
)
