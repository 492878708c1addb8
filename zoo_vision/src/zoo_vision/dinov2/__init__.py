"""DINOv2 (https://arxiv.org/abs/2304.07193)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dinov2",
    config="zoo_vision.dinov2.config:Dinov2Config",
    models=classes(
        "zoo_vision.dinov2.model",
        AutoModel="Dinov2Model",
        AutoModelForImageClassification="Dinov2ForImageClassification",
        AutoBackbone="Dinov2Backbone",
    ),
    image_processor="zoo_vision.processing.classification:BitImageProcessor",
)
