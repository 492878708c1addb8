"""Mask2Former (https://arxiv.org/abs/2112.01527)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mask2former",
    config="zoo_vision.mask2former.config:Mask2FormerConfig",
    models=classes(
        "zoo_vision.mask2former.model",
        AutoModel="Mask2FormerModel",
        AutoModelForUniversalSegmentation="Mask2FormerForUniversalSegmentation",
    ),
    image_processor="zoo_vision.processing.segmentation:Mask2FormerImageProcessor",
)
