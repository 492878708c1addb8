"""NAT (https://arxiv.org/abs/2204.07143)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="nat",
    config="zoo_vision.nat.config:NatConfig",
    models=classes(
        "zoo_vision.nat.model",
        AutoModel="NatModel",
        AutoModelForImageClassification="NatForImageClassification",
        AutoBackbone="NatBackbone",
    ),
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
)
