"""SegFormer (https://arxiv.org/abs/2105.15203)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="segformer",
    config="zoo_vision.segformer.config:SegformerConfig",
    models=classes(
        "zoo_vision.segformer.model",
        AutoModel="SegformerModel",
        AutoModelForImageClassification="SegformerForImageClassification",
        AutoModelForSemanticSegmentation="SegformerForSemanticSegmentation",
    ),
    image_processor="zoo_vision.processing.dense:SegformerImageProcessor",
)
