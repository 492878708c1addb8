"""DPT (https://arxiv.org/abs/2103.13413)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dpt",
    config="zoo_vision.dpt.config:DPTConfig",
    models=classes(
        "zoo_vision.dpt.model",
        AutoModel="DPTModel",
        AutoModelForSemanticSegmentation="DPTForSemanticSegmentation",
        AutoModelForDepthEstimation="DPTForDepthEstimation",
    ),
    image_processor="zoo_vision.processing.dense:DPTImageProcessor",
)
