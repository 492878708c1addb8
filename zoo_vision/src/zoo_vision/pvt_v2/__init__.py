"""Pyramid Vision Transformer v2 (https://arxiv.org/abs/2106.13797)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="pvt_v2",
    config="zoo_vision.pvt_v2.config:PvtV2Config",
    models=classes(
        "zoo_vision.pvt_v2.model",
        AutoModel="PvtV2Model",
        AutoModelForImageClassification="PvtV2ForImageClassification",
        AutoBackbone="PvtV2Backbone",
    ),
    image_processor="zoo_vision.processing.classification:PvtImageProcessor",
)
