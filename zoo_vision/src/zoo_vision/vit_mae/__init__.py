"""Masked autoencoders (https://arxiv.org/abs/2111.06377)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vit_mae",
    config="zoo_vision.vit_mae.config:ViTMAEConfig",
    models=classes(
        "zoo_vision.vit_mae.model",
        AutoModel="ViTMAEModel",
        AutoModelForPreTraining="ViTMAEForPreTraining",
    ),
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
)
