"""Swin2SR (https://arxiv.org/abs/2209.11345)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="swin2sr",
    config="zoo_vision.swin2sr.config:Swin2SRConfig",
    models=classes(
        "zoo_vision.swin2sr.model",
        AutoModel="Swin2SRModel",
        AutoModelForImageToImage="Swin2SRForImageSuperResolution",
    ),
    image_processor="zoo_vision.processing.padded:Swin2SRImageProcessor",
)
