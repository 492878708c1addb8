"""OneFormer (https://arxiv.org/abs/2211.06220)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="oneformer",
    config="zoo_vision.oneformer.config:OneFormerConfig",
    models=classes(
        "zoo_vision.oneformer.model",
        AutoModel="OneFormerModel",
        AutoModelForUniversalSegmentation="OneFormerForUniversalSegmentation",
    ),
)
