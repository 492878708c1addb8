"""CvT (https://arxiv.org/abs/2103.15808)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="cvt",
    config="zoo_vision.cvt.config:CvtConfig",
    models=classes(
        "zoo_vision.cvt.model",
        AutoModel="CvtModel",
        AutoModelForImageClassification="CvtForImageClassification",
    ),
    image_processor="zoo_vision.processing.classification:ConvNextImageProcessor",
)
