"""EdgeTAM for images: Segment Anything 2 with a small backbone (https://arxiv.org/abs/2501.07256)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="edgetam",
    config="zoo_vision.edgetam.config:EdgeTamConfig",
    models=classes(
        "zoo_vision.edgetam.model", AutoModel="EdgeTamModel", AutoModelForMaskGeneration="EdgeTamModel"
    ),
    image_processor="zoo_vision.processing.sam2:Sam2ImageProcessor",
    processor="zoo_vision.sam2.processor:Sam2Processor",
)

VISION = Architecture(
    model_type="edgetam_vision_model",
    config="zoo_vision.edgetam.config:EdgeTamVisionConfig",
    models=classes("zoo_vision.edgetam.model", AutoModel="EdgeTamVisionModel"),
)
