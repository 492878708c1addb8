"""MaskFormer (https://arxiv.org/abs/2107.06278)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="maskformer",
    config="zoo_vision.maskformer.config:MaskFormerConfig",
    models=classes(
        "zoo_vision.maskformer.model",
        AutoModel="MaskFormerModel",
        AutoModelForInstanceSegmentation="MaskFormerForInstanceSegmentation",
        AutoModelForUniversalSegmentation="MaskFormerForInstanceSegmentation",
    ),
    image_processor="zoo_vision.processing.segmentation:MaskFormerImageProcessor",
)
