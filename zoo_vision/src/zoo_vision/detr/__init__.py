"""DETR (https://arxiv.org/abs/2005.12872)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="detr",
    config="zoo_vision.detr.config:DetrConfig",
    models=classes(
        "zoo_vision.detr.model",
        AutoModel="DetrModel",
        AutoModelForObjectDetection="DetrForObjectDetection",
    )
    | classes(
        "zoo_vision.detr.segmentation",
        AutoModelForImageSegmentation="DetrForSegmentation",
        AutoModelForUniversalSegmentation="DetrForSegmentation",
    ),
    image_processor="zoo_vision.processing.detection:DetrImageProcessor",
)
