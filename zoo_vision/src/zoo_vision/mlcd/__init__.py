"""MLCD's image encoder (https://arxiv.org/abs/2407.17331)."""

from dataclasses import replace

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mlcd_vision_model",
    config="zoo_vision.mlcd.config:MLCDVisionConfig",
    models=classes("zoo_vision.mlcd.model", AutoModel="MLCDVisionModel"),
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
)
SHORT = replace(ARCHITECTURE, model_type="mlcd", config="zoo_vision.mlcd.config:MLCDConfig")
