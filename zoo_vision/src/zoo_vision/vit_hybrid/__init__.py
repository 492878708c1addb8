"""ViT over the maps of a ResNet (https://arxiv.org/abs/2010.11929, section 3.1)."""

from zoo_core.architecture import Architecture, classes

_MODELS = classes(
    "zoo_vision.vit_hybrid.model",
    AutoModel="ViTHybridModel",
    AutoModelForImageClassification="ViTHybridForImageClassification",
)
_PROCESSOR = "zoo_vision.processing.classification:ViTHybridImageProcessor"

ARCHITECTURE = Architecture(
    model_type="vit-hybrid",
    config="zoo_vision.vit_hybrid.config:ViTHybridConfig",
    models=_MODELS,
    image_processor=_PROCESSOR,
)
UNDERSCORED = Architecture(
    model_type="vit_hybrid",
    config="zoo_vision.vit_hybrid.config:ViTHybridUnderscoredConfig",
    models=_MODELS,
    image_processor=_PROCESSOR,
)
