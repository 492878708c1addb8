"""Segment Anything in High Quality (https://arxiv.org/abs/2306.01567) and its image encoder."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="sam_hq",
    config="zoo_vision.sam_hq.config:SamHQConfig",
    models=classes(
        "zoo_vision.sam_hq.model", AutoModel="SamHQModel", AutoModelForMaskGeneration="SamHQModel"
    ),
    image_processor="zoo_vision.processing.sam:SamImageProcessor",
    processor="zoo_vision.sam_hq.processor:SamHQProcessor",
)

VISION = Architecture(
    model_type="sam_hq_vision_model",
    config="zoo_vision.sam_hq.config:SamHQVisionConfig",
    models=classes("zoo_vision.sam_hq.model", AutoModel="SamHQVisionModel"),
)
