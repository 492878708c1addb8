"""DINOv2 with registers (https://arxiv.org/abs/2309.16588)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dinov2_with_registers",
    config="zoo_vision.dinov2_with_registers.config:Dinov2WithRegistersConfig",
    models=classes(
        "zoo_vision.dinov2_with_registers.model",
        AutoModel="Dinov2WithRegistersModel",
        AutoModelForImageClassification="Dinov2WithRegistersForImageClassification",
        AutoBackbone="Dinov2WithRegistersBackbone",
    ),
    image_processor="zoo_vision.processing.classification:BitImageProcessor",
)
