"""Pyramid Vision Transformer (https://arxiv.org/abs/2102.12122)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="pvt",
    config="zoo_vision.pvt.config:PvtConfig",
    models=classes(
        "zoo_vision.pvt.model",
        AutoModel="PvtModel",
        AutoModelForImageClassification="PvtForImageClassification",
    ),
    image_processor="zoo_vision.processing.classification:PvtImageProcessor",
)
