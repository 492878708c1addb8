"""PoolFormer (https://arxiv.org/abs/2111.11418)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="poolformer",
    config="zoo_vision.poolformer.config:PoolFormerConfig",
    models=classes(
        "zoo_vision.poolformer.model",
        AutoModel="PoolFormerModel",
        AutoModelForImageClassification="PoolFormerForImageClassification",
    ),
    image_processor="zoo_vision.processing.classification:PoolFormerImageProcessor",
)
