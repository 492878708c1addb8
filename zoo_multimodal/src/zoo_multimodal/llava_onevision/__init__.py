"""LLaVA-OneVision (https://arxiv.org/abs/2408.03326)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="llava_onevision",
    config="zoo_multimodal.llava_onevision.config:LlavaOnevisionConfig",
    models=classes(
        "zoo_multimodal.llava_onevision.model",
        AutoModel="LlavaOnevisionModel",
        AutoModelForImageTextToText="LlavaOnevisionForConditionalGeneration",
        AutoModelForVision2Seq="LlavaOnevisionForConditionalGeneration",
        AutoModelForPreTraining="LlavaOnevisionForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.tiles:LlavaOnevisionImageProcessor",
    video_processor="zoo_vision.processing.videos:LlavaOnevisionVideoProcessor",
    processor="zoo_multimodal.llava_onevision.processor:LlavaOnevisionProcessor",
)
