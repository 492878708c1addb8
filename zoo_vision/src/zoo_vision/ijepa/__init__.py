"""I-JEPA (https://arxiv.org/abs/2301.08243)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="ijepa",
    config="zoo_vision.ijepa.config:IJepaConfig",
    models=classes(
        "zoo_vision.ijepa.model",
        AutoModel="IJepaModel",
        AutoModelForImageClassification="IJepaForImageClassification",
    ),
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
)
