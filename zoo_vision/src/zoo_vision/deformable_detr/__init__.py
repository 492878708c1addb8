"""Deformable DETR (https://arxiv.org/abs/2010.04159)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="deformable_detr",
    config="zoo_vision.deformable_detr.config:DeformableDetrConfig",
    models=classes(
        "zoo_vision.deformable_detr.model",
        AutoModel="DeformableDetrModel",
        AutoModelForObjectDetection="DeformableDetrForObjectDetection",
    ),
    image_processor="zoo_vision.processing.detection:DeformableDetrImageProcessor",
)
