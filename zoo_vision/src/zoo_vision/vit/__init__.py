"""Vision Transformer (https://arxiv.org/abs/2010.11929)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vit",
    config="zoo_vision.vit.config:ViTConfig",
    models=classes(
        "zoo_vision.vit.model",
        AutoModel="ViTModel",
        AutoModelForImageClassification="ViTForImageClassification",
        AutoModelForMaskedImageModeling="ViTForMaskedImageModeling",
    ),
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
)
