"""LLaVA-NeXT (https://llava-vl.github.io/blog/2024-01-30-llava-next)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="llava_next",
    config="zoo_multimodal.llava_next.config:LlavaNextConfig",
    models=classes(
        "zoo_multimodal.llava_next.model",
        AutoModel="LlavaNextModel",
        AutoModelForImageTextToText="LlavaNextForConditionalGeneration",
        AutoModelForVision2Seq="LlavaNextForConditionalGeneration",
        AutoModelForPreTraining="LlavaNextForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.tiles:LlavaNextImageProcessor",
    processor="zoo_multimodal.llava_next.processor:LlavaNextProcessor",
)

GRANITE = Architecture(model_type="granitevision", config="zoo_multimodal.llava_next.config:LlavaNextConfig")
