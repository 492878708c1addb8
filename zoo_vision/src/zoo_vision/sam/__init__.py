"""Segment Anything (https://arxiv.org/abs/2304.02643) and its image encoder."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="sam",
    config="zoo_vision.sam.config:SamConfig",
    models=classes("zoo_vision.sam.model", AutoModel="SamModel", AutoModelForMaskGeneration="SamModel"),
    image_processor="zoo_vision.processing.sam:SamImageProcessor",
    processor="zoo_vision.sam.processor:SamProcessor",
)

VISION = Architecture(
    model_type="sam_vision_model",
    config="zoo_vision.sam.config:SamVisionConfig",
    models=classes("zoo_vision.sam.encoder", AutoModel="SamVisionModel"),
)
