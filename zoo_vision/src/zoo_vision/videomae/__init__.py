"""VideoMAE (https://arxiv.org/abs/2203.12602)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="videomae",
    config="zoo_vision.videomae.config:VideoMAEConfig",
    models=classes(
        "zoo_vision.videomae.model",
        AutoModel="VideoMAEModel",
        AutoModelForPreTraining="VideoMAEForPreTraining",
        AutoModelForVideoClassification="VideoMAEForVideoClassification",
    ),
    image_processor="zoo_vision.processing.clips:VideoMAEImageProcessor",
)
