"""FocalNet (https://arxiv.org/abs/2203.11926)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="focalnet",
    config="zoo_vision.focalnet.config:FocalNetConfig",
    models=classes(
        "zoo_vision.focalnet.model",
        AutoModel="FocalNetModel",
        AutoModelForImageClassification="FocalNetForImageClassification",
        AutoModelForMaskedImageModeling="FocalNetForMaskedImageModeling",
        AutoBackbone="FocalNetBackbone",
    ),
    image_processor="zoo_vision.processing.classification:BitImageProcessor",
)
