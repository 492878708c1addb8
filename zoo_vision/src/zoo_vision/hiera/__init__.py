"""Hiera (https://arxiv.org/abs/2306.00989)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="hiera",
    config="zoo_vision.hiera.config:HieraConfig",
    models=classes(
        "zoo_vision.hiera.model",
        AutoModel="HieraModel",
        AutoModelForImageClassification="HieraForImageClassification",
        AutoBackbone="HieraBackbone",
    )
    | classes("zoo_vision.hiera.pretraining", AutoModelForPreTraining="HieraForPreTraining"),
    image_processor="zoo_vision.processing.classification:BitImageProcessor",
)
