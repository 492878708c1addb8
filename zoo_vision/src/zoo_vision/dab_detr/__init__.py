"""DAB-DETR (https://arxiv.org/abs/2201.12329)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dab-detr",
    config="zoo_vision.dab_detr.config:DabDetrConfig",
    models=classes(
        "zoo_vision.dab_detr.model",
        AutoModel="DabDetrModel",
        AutoModelForObjectDetection="DabDetrForObjectDetection",
    ),
)
