"""Gemma 3n's image tower, a MobileNetV5 (https://developers.googleblog.com/en/introducing-gemma-3n)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gemma3n_vision",
    config="zoo_vision.gemma3n_vision.config:Gemma3nVisionConfig",
    models=classes("zoo_vision.timm_wrapper.model", AutoModel="TimmWrapperModel"),
)
