"""Segment Anything 2 for images (https://arxiv.org/abs/2408.00714), its image encoder and its backbone."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="sam2",
    config="zoo_vision.sam2.config:Sam2Config",
    models=classes("zoo_vision.sam2.model", AutoModel="Sam2Model", AutoModelForMaskGeneration="Sam2Model"),
    image_processor="zoo_vision.processing.sam2:Sam2ImageProcessor",
    processor="zoo_vision.sam2.processor:Sam2Processor",
)

VISION = Architecture(
    model_type="sam2_vision_model",
    config="zoo_vision.sam2.config:Sam2VisionConfig",
    models=classes("zoo_vision.sam2.encoder", AutoModel="Sam2VisionModel"),
)

BACKBONE = Architecture(
    model_type="sam2_hiera_det_model",
    config="zoo_vision.sam2.config:Sam2HieraDetConfig",
    models=classes("zoo_vision.sam2.encoder", AutoModel="Sam2HieraDetModel"),
)
