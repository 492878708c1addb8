"""SegGPT (https://arxiv.org/abs/2304.03284)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="seggpt",
    config="zoo_vision.seggpt.config:SegGptConfig",
    models=classes("zoo_vision.seggpt.model", AutoModel=("SegGptModel", "SegGptForImageSegmentation")),
    image_processor="zoo_vision.processing.prompted:SegGptImageProcessor",
)
