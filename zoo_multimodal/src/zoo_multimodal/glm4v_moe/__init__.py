"""GLM-4.5V (https://arxiv.org/abs/2507.01006)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="glm4v_moe",
    config="zoo_multimodal.glm4v_moe.config:Glm4vMoeConfig",
    models=classes(
        "zoo_multimodal.glm4v_moe.model",
        AutoModel="Glm4vMoeModel",
        AutoModelForImageTextToText="Glm4vMoeForConditionalGeneration",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    image_processor="zoo_vision.processing.patches:Glm4vImageProcessor",
    video_processor="zoo_vision.processing.videos:Glm4vVideoProcessor",
    processor="zoo_multimodal.glm4v.processor:Glm4vProcessor",
)
