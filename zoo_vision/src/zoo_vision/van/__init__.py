"""VAN (https://arxiv.org/abs/2202.09741)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="van",
    config="zoo_vision.van.config:VanConfig",
    models=classes(
        "zoo_vision.van.model",
        AutoModel="VanModel",
        AutoModelForImageClassification="VanForImageClassification",
    ),
    image_processor="zoo_vision.processing.classification:ConvNextImageProcessor",
)
