"""Swin Transformer V2 (https://arxiv.org/abs/2111.09883)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="swinv2",
    config="zoo_vision.swinv2.config:Swinv2Config",
    models=classes(
        "zoo_vision.swinv2.model",
        AutoModel="Swinv2Model",
        AutoModelForImageClassification="Swinv2ForImageClassification",
        AutoModelForMaskedImageModeling="Swinv2ForMaskedImageModeling",
        AutoBackbone="Swinv2Backbone",
    ),
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
)
