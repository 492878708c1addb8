"""SmolVLM (https://arxiv.org/abs/2504.05299)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="smolvlm",
    config="zoo_multimodal.smolvlm.config:SmolVLMConfig",
    models=classes(
        "zoo_multimodal.smolvlm.model",
        AutoModel="SmolVLMModel",
        AutoModelForImageTextToText="SmolVLMForConditionalGeneration",
    ),
    image_processor="zoo_vision.processing.tiles_idefics:SmolVLMImageProcessor",
    video_processor="zoo_multimodal.smolvlm.video_processor:SmolVLMVideoProcessor",
    processor="zoo_multimodal.smolvlm.processor:SmolVLMProcessor",
)

VISION = Architecture(
    model_type="smolvlm_vision",
    config="zoo_multimodal.smolvlm.config:SmolVLMVisionConfig",
    models=classes("zoo_multimodal.smolvlm.model", AutoModel="SmolVLMVisionTransformer"),
)
