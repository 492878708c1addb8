"""ViTMatte (https://arxiv.org/abs/2305.15272)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vitmatte",
    config="zoo_vision.vitmatte.config:VitMatteConfig",
    models=classes("zoo_vision.vitmatte.model", AutoModel="VitMatteForImageMatting"),
    image_processor="zoo_vision.processing.prompted:VitMatteImageProcessor",
)
