"""PP-HGNet V2, the backbone of D-FINE (https://arxiv.org/abs/2410.13842)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="hgnet_v2",
    config="zoo_vision.hgnet_v2.config:HGNetV2Config",
    models=classes(
        "zoo_vision.hgnet_v2.model",
        AutoModel="HGNetV2Backbone",
        AutoModelForImageClassification="HGNetV2ForImageClassification",
        AutoBackbone="HGNetV2Backbone",
    ),
)
