"""ViViT (https://arxiv.org/abs/2103.15691)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vivit",
    config="zoo_vision.vivit.config:VivitConfig",
    models=classes(
        "zoo_vision.vivit.model",
        AutoModel="VivitModel",
        AutoModelForVideoClassification="VivitForVideoClassification",
    ),
    image_processor="zoo_vision.processing.clips:VivitImageProcessor",
)
