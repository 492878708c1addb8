"""DeiT (https://arxiv.org/abs/2012.12877)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="deit",
    config="zoo_vision.deit.config:DeiTConfig",
    models=classes(
        "zoo_vision.deit.model",
        AutoModel="DeiTModel",
        AutoModelForImageClassification=(
            "DeiTForImageClassification",
            "DeiTForImageClassificationWithTeacher",
        ),
        AutoModelForMaskedImageModeling="DeiTForMaskedImageModeling",
    ),
    image_processor="zoo_vision.processing.classification:DeiTImageProcessor",
)
