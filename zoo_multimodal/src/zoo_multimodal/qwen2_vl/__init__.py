"""Qwen2-VL (https://arxiv.org/abs/2409.12191)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen2_vl",
    config="zoo_multimodal.qwen2_vl.config:Qwen2VLConfig",
    models=classes(
        "zoo_multimodal.qwen2_vl.model",
        AutoModel="Qwen2VLModel",
        AutoModelForImageTextToText="Qwen2VLForConditionalGeneration",
        AutoModelForVision2Seq="Qwen2VLForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    image_processor="zoo_vision.processing.patches:Qwen2VLImageProcessor",
    video_processor="zoo_vision.processing.videos:Qwen2VLVideoProcessor",
    processor="zoo_multimodal.qwen2_vl.processor:Qwen2VLProcessor",
)
