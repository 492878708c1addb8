"""The image encoder of InternVL (https://arxiv.org/abs/2312.14238)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="internvl_vision",
    config="zoo_vision.internvl_vision.config:InternVLVisionConfig",
    models=classes("zoo_vision.internvl_vision.model", AutoModel="InternVLVisionModel"),
)
