"""GLPN (https://arxiv.org/abs/2201.07436)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="glpn",
    config="zoo_vision.glpn.config:GLPNConfig",
    models=classes(
        "zoo_vision.glpn.model", AutoModel="GLPNModel", AutoModelForDepthEstimation="GLPNForDepthEstimation"
    ),
    image_processor="zoo_vision.processing.dense:GLPNImageProcessor",
)
