"""DINOv3 (https://arxiv.org/abs/2508.10104)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dinov3_vit",
    config="zoo_vision.dinov3_vit.config:DINOv3ViTConfig",
    models=classes(
        "zoo_vision.dinov3_vit.model",
        AutoModel="DINOv3ViTModel",
    ),
    image_processor="zoo_vision.dinov3_vit.processor:DINOv3ViTImageProcessor",
)
