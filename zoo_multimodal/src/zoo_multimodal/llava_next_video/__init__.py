"""LLaVA-NeXT-Video (https://llava-vl.github.io/blog/2024-04-30-llava-next-video)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="llava_next_video",
    config="zoo_multimodal.llava_next_video.config:LlavaNextVideoConfig",
    models=classes(
        "zoo_multimodal.llava_next_video.model",
        AutoModel="LlavaNextVideoModel",
        AutoModelForImageTextToText="LlavaNextVideoForConditionalGeneration",
        AutoModelForVision2Seq="LlavaNextVideoForConditionalGeneration",
        AutoModelForPreTraining="LlavaNextVideoForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.clips:LlavaNextVideoImageProcessor",
    video_processor="zoo_vision.processing.videos:LlavaNextVideoVideoProcessor",
    processor="zoo_multimodal.llava_next_video.processor:LlavaNextVideoProcessor",
)
