"""SwiftFormer (https://arxiv.org/abs/2303.15446)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="swiftformer",
    config="zoo_vision.swiftformer.config:SwiftFormerConfig",
    models=classes(
        "zoo_vision.swiftformer.model",
        AutoModel="SwiftFormerModel",
        AutoModelForImageClassification="SwiftFormerForImageClassification",
    ),
    image_processor="zoo_vision.processing.classification:ViTImageProcessor",
)
