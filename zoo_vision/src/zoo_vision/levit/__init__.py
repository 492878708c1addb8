"""LeViT (https://arxiv.org/abs/2104.01136)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="levit",
    config="zoo_vision.levit.config:LevitConfig",
    models=classes(
        "zoo_vision.levit.model",
        AutoModel="LevitModel",
        AutoModelForImageClassification=(
            "LevitForImageClassification",
            "LevitForImageClassificationWithTeacher",
        ),
    ),
    image_processor="zoo_vision.processing.classification:LevitImageProcessor",
)
