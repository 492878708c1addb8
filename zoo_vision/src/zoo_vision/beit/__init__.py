"""BEiT (https://arxiv.org/abs/2106.08254)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="beit",
    config="zoo_vision.beit.config:BeitConfig",
    models=classes(
        "zoo_vision.beit.model",
        AutoModel="BeitModel",
        AutoModelForImageClassification="BeitForImageClassification",
        AutoModelForSemanticSegmentation="BeitForSemanticSegmentation",
        AutoBackbone="BeitBackbone",
    ),
    image_processor="zoo_vision.processing.dense:BeitImageProcessor",
)
