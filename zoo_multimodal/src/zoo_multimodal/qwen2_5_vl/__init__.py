"""Qwen2.5-VL (https://arxiv.org/abs/2502.13923)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen2_5_vl",
    config="zoo_multimodal.qwen2_5_vl.config:Qwen2_5_VLConfig",
    models=classes(
        "zoo_multimodal.qwen2_5_vl.model",
        AutoModel="Qwen2_5_VLModel",
        AutoModelForImageTextToText="Qwen2_5_VLForConditionalGeneration",
        AutoModelForVision2Seq="Qwen2_5_VLForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    image_processor="zoo_vision.processing.patches:Qwen2VLImageProcessor",
    video_processor="zoo_vision.processing.videos:Qwen2VLVideoProcessor",
    processor="zoo_multimodal.qwen2_5_vl.processor:Qwen2_5_VLProcessor",
)
