"""EoMT, the Encoder-only Mask Transformer (https://arxiv.org/abs/2503.19108)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="eomt",
    config="zoo_vision.eomt.config:EomtConfig",
    models=classes("zoo_vision.eomt.model", AutoModelForUniversalSegmentation="EomtForUniversalSegmentation"),
    image_processor="zoo_vision.processing.segmentation:EomtImageProcessor",
)
