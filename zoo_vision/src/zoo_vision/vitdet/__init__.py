"""ViTDet's backbone (https://arxiv.org/abs/2203.16527)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vitdet",
    config="zoo_vision.vitdet.config:VitDetConfig",
    models=classes("zoo_vision.vitdet.model", AutoModel="VitDetModel", AutoBackbone="VitDetBackbone"),
)
