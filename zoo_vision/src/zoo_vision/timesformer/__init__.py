"""TimeSformer (https://arxiv.org/abs/2102.05095)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="timesformer",
    config="zoo_vision.timesformer.config:TimesformerConfig",
    models=classes(
        "zoo_vision.timesformer.model",
        AutoModel="TimesformerModel",
        AutoModelForVideoClassification="TimesformerForVideoClassification",
    ),
    image_processor="zoo_vision.processing.clips:VideoMAEImageProcessor",
)
