"""Video-LLaVA (https://arxiv.org/abs/2311.10122)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="video_llava",
    config="zoo_multimodal.video_llava.config:VideoLlavaConfig",
    models=classes(
        "zoo_multimodal.video_llava.model",
        AutoModel="VideoLlavaModel",
        AutoModelForVision2Seq="VideoLlavaForConditionalGeneration",
        AutoModelForPreTraining="VideoLlavaForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.classification:VideoLlavaImageProcessor",
    video_processor="zoo_vision.processing.videos:VideoLlavaVideoProcessor",
    processor="zoo_multimodal.video_llava.processor:VideoLlavaProcessor",
)
