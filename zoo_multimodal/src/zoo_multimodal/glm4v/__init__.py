"""GLM-4.1V (https://arxiv.org/abs/2507.01006)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="glm4v",
    config="zoo_multimodal.glm4v.config:Glm4vConfig",
    models=classes(
        "zoo_multimodal.glm4v.model",
        AutoModel="Glm4vModel",
        AutoModelForImageTextToText="Glm4vForConditionalGeneration",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    image_processor="zoo_vision.processing.patches:Glm4vImageProcessor",
    video_processor="zoo_vision.processing.videos:Glm4vVideoProcessor",
    processor="zoo_multimodal.glm4v.processor:Glm4vProcessor",
)
