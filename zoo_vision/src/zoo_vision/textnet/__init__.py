"""TextNet, the backbone of FAST (https://arxiv.org/abs/2111.02394)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="textnet",
    config="zoo_vision.textnet.config:TextNetConfig",
    models=classes(
        "zoo_vision.textnet.model",
        AutoModel="TextNetModel",
        AutoModelForImageClassification="TextNetForImageClassification",
        AutoBackbone="TextNetBackbone",
    ),
    image_processor="zoo_vision.processing.classification:TextNetImageProcessor",
)
