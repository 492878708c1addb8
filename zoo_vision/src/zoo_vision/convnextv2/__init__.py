"""ConvNeXt V2 (https://arxiv.org/abs/2301.00808)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="convnextv2",
    config="zoo_vision.convnextv2.config:ConvNextV2Config",
    models=classes(
        "zoo_vision.convnextv2.model",
        AutoModel="ConvNextV2Model",
        AutoModelForImageClassification="ConvNextV2ForImageClassification",
        AutoBackbone="ConvNextV2Backbone",
    ),
    image_processor="zoo_vision.processing.classification:ConvNextImageProcessor",
)
