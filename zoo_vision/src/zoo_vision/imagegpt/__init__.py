"""ImageGPT (Chen et al., Generative Pretraining from Pixels, 2020)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="imagegpt",
    config="zoo_vision.imagegpt.config:ImageGPTConfig",
    models=classes(
        "zoo_vision.imagegpt.model",
        AutoModel="ImageGPTModel",
        AutoModelForImageClassification="ImageGPTForImageClassification",
    ),
    image_processor="zoo_vision.processing.prompted:ImageGPTImageProcessor",
)
