"""EfficientFormer (https://arxiv.org/abs/2206.01191)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="efficientformer",
    config="zoo_vision.efficientformer.config:EfficientFormerConfig",
    models=classes(
        "zoo_vision.efficientformer.model",
        AutoModel="EfficientFormerModel",
        AutoModelForImageClassification=(
            "EfficientFormerForImageClassification",
            "EfficientFormerForImageClassificationWithTeacher",
        ),
    ),
    image_processor="zoo_vision.processing.classification:EfficientFormerImageProcessor",
)
