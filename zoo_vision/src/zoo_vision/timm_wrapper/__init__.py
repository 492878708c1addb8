"""Checkpoints of the library timm as they are (https://github.com/huggingface/pytorch-image-models)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="timm_wrapper",
    config="zoo_vision.timm_wrapper.config:TimmWrapperConfig",
    models=classes(
        "zoo_vision.timm_wrapper.model",
        AutoModel="TimmWrapperModel",
        AutoModelForImageClassification="TimmWrapperForImageClassification",
    ),
    image_processor="zoo_vision.timm_wrapper.processor:TimmWrapperImageProcessor",
)

PERCEPTION_ENCODER = Architecture(  # the image tower of PerceptionLM, https://arxiv.org/abs/2504.13181
    model_type="perception_encoder",
    config="zoo_vision.timm_wrapper.config:TimmWrapperConfig",
    models=classes("zoo_vision.timm_wrapper.model", AutoModel="TimmWrapperModel"),
)
