"""UPerNet (https://arxiv.org/abs/1807.10221)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="upernet",
    config="zoo_vision.upernet.config:UperNetConfig",
    models=classes(
        "zoo_vision.upernet.model", AutoModelForSemanticSegmentation="UperNetForSemanticSegmentation"
    ),
    image_processor="zoo_vision.processing.dense:SegformerImageProcessor",
)
