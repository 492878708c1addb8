"""LLaVA (https://arxiv.org/abs/2304.08485)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="llava",
    config="zoo_multimodal.llava.config:LlavaConfig",
    models=classes(
        "zoo_multimodal.llava.model",
        AutoModel="LlavaModel",
        AutoModelForImageTextToText="LlavaForConditionalGeneration",
        AutoModelForVision2Seq="LlavaForConditionalGeneration",
        AutoModelForPreTraining="LlavaForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.classification:LlavaImageProcessor",
    processor="zoo_multimodal.llava.processor:LlavaProcessor",
)
