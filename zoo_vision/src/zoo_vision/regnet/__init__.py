"""RegNet (https://arxiv.org/abs/2003.13678)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="regnet",
    config="zoo_vision.regnet.config:RegNetConfig",
    models=classes(
        "zoo_vision.regnet.model",
        AutoModel="RegNetModel",
        AutoModelForImageClassification="RegNetForImageClassification",
    ),
    image_processor="zoo_vision.processing.classification:ConvNextImageProcessor",
)
