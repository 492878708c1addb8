"""DINOv3 with a ConvNeXt (https://arxiv.org/abs/2508.10104)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dinov3_convnext",
    config="zoo_vision.dinov3_convnext.config:DINOv3ConvNextConfig",
    models=classes(
        "zoo_vision.dinov3_convnext.model",
        AutoModel="DINOv3ConvNextModel",
    ),
    image_processor="zoo_vision.dinov3_vit.processor:DINOv3ViTImageProcessor",
)
