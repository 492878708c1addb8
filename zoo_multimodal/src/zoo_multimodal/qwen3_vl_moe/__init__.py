"""Qwen3-VL with experts (https://arxiv.org/abs/2511.21631)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen3_vl_moe",
    config="zoo_multimodal.qwen3_vl_moe.config:Qwen3VLMoeConfig",
    models=classes(
        "zoo_multimodal.qwen3_vl_moe.model",
        AutoModel="Qwen3VLMoeModel",
        AutoModelForImageTextToText="Qwen3VLMoeForConditionalGeneration",
        AutoModelForVision2Seq="Qwen3VLMoeForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    image_processor="zoo_vision.processing.patches:Qwen2VLImageProcessor",
    video_processor="zoo_vision.processing.videos:Qwen3VLVideoProcessor",
    processor="zoo_multimodal.qwen3_vl.processor:Qwen3VLProcessor",
)
