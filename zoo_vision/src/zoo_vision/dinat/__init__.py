"""DiNAT (https://arxiv.org/abs/2209.15001)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dinat",
    config="zoo_vision.dinat.config:DinatConfig",
    models=classes(
        "zoo_vision.dinat.model",
        AutoModel="DinatModel",
        AutoModelForImageClassification="DinatForImageClassification",
        AutoBackbone="DinatBackbone",
    ),
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
)
