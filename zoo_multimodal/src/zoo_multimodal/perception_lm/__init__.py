"""PerceptionLM (https://arxiv.org/abs/2504.13180)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="perception_lm",
    config="zoo_multimodal.perception_lm.config:PerceptionLMConfig",
    models=classes(
        "zoo_multimodal.perception_lm.model",
        AutoModel="PerceptionLMModel",
        AutoModelForImageTextToText="PerceptionLMForConditionalGeneration",
    ),
    image_processor="zoo_vision.processing.tiles_flexible:PerceptionLMImageProcessorFast",
    video_processor="zoo_vision.processing.videos:PerceptionLMVideoProcessor",
    processor="zoo_multimodal.perception_lm.processor:PerceptionLMProcessor",
)
