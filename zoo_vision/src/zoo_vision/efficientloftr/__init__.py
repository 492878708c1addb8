"""EfficientLoFTR (https://arxiv.org/abs/2403.04765)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="efficientloftr",
    config="zoo_vision.efficientloftr.config:EfficientLoFTRConfig",
    models={
        **classes("zoo_vision.efficientloftr.model", AutoModel="EfficientLoFTRModel"),
        **classes(
            "zoo_vision.efficientloftr.matching",
            AutoModelForKeypointMatching="EfficientLoFTRForKeypointMatching",
        ),
    },
    image_processor="zoo_vision.processing.keypoints:EfficientLoFTRImageProcessor",
)
