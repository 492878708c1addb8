"""MobileViTV2 (https://arxiv.org/abs/2206.02680)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mobilevitv2",
    config="zoo_vision.mobilevitv2.config:MobileViTV2Config",
    models=classes(
        "zoo_vision.mobilevitv2.model",
        AutoModel="MobileViTV2Model",
        AutoModelForImageClassification="MobileViTV2ForImageClassification",
        AutoModelForSemanticSegmentation="MobileViTV2ForSemanticSegmentation",
    ),
    image_processor="zoo_vision.processing.dense:MobileViTImageProcessor",
)
