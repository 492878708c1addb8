"""Qwen3-VL (https://arxiv.org/abs/2511.21631)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen3_vl",
    config="zoo_multimodal.qwen3_vl.config:Qwen3VLConfig",
    models=classes(
        "zoo_multimodal.qwen3_vl.model",
        AutoModel="Qwen3VLModel",
        AutoModelForImageTextToText="Qwen3VLForConditionalGeneration",
        AutoModelForVision2Seq="Qwen3VLForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    image_processor="zoo_vision.processing.patches:Qwen2VLImageProcessor",
    video_processor="zoo_vision.processing.videos:Qwen3VLVideoProcessor",
    processor="zoo_multimodal.qwen3_vl.processor:Qwen3VLProcessor",
)
