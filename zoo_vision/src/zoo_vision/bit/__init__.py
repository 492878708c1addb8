"""Big Transfer (https://arxiv.org/abs/1912.11370)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="bit",
    config="zoo_vision.bit.config:BitConfig",
    models=classes(
        "zoo_vision.bit.model",
        AutoModel="BitModel",
        AutoModelForImageClassification="BitForImageClassification",
        AutoBackbone="BitBackbone",
    ),
    image_processor="zoo_vision.processing.classification:BitImageProcessor",
)
