"""V-JEPA 2 (https://arxiv.org/abs/2506.09985)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vjepa2",
    config="zoo_vision.vjepa2.config:VJEPA2Config",
    models=classes(
        "zoo_vision.vjepa2.model",
        AutoModel="VJEPA2Model",
        AutoModelForVideoClassification="VJEPA2ForVideoClassification",
    ),
    video_processor="zoo_vision.processing.videos:VJEPA2VideoProcessor",
)
