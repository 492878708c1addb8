"""MLP-Mixer (https://arxiv.org/abs/2105.01601)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mixer",
    config="zoo_test_vision.mixer.config:MixerConfig",
    models=classes(
        "zoo_test_vision.mixer.model",
        AutoModel="MixerModel",
        AutoModelForImageClassification="MixerForImageClassification",
    ),
    image_processor="zoo_test_vision.mixer.processor:MixerImageProcessor",
)
