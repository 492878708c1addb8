"""DETA (https://arxiv.org/abs/2212.06137)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="deta",
    config="zoo_vision.deta.config:DetaConfig",
    models=classes(
        "zoo_vision.deta.model", AutoModel="DetaModel", AutoModelForObjectDetection="DetaForObjectDetection"
    ),
    image_processor="zoo_vision.processing.detection:DetaImageProcessor",
)
