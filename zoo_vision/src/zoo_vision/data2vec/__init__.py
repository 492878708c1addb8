"""data2vec for images (https://arxiv.org/abs/2202.03555)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="data2vec-vision",
    config="zoo_vision.data2vec.config:Data2VecVisionConfig",
    models=classes(
        "zoo_vision.data2vec.model",
        AutoModel="Data2VecVisionModel",
        AutoModelForImageClassification="Data2VecVisionForImageClassification",
        AutoModelForSemanticSegmentation="Data2VecVisionForSemanticSegmentation",
    ),
    image_processor="zoo_vision.processing.dense:BeitImageProcessor",
)
