"""D-FINE (https://arxiv.org/abs/2410.13842)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="d_fine",
    config="zoo_vision.d_fine.config:DFineConfig",
    models=classes(
        "zoo_vision.d_fine.model",
        AutoModel="DFineModel",
        AutoModelForObjectDetection="DFineForObjectDetection",
    ),
)
