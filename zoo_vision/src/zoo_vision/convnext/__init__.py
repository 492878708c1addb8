"""ConvNeXt (https://arxiv.org/abs/2201.03545)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="convnext",
    config="zoo_vision.convnext.config:ConvNextConfig",
    models=classes(
        "zoo_vision.convnext.model",
        AutoModel="ConvNextModel",
        AutoModelForImageClassification="ConvNextForImageClassification",
        AutoBackbone="ConvNextBackbone",
    ),
    image_processor="zoo_vision.processing.classification:ConvNextImageProcessor",
)
