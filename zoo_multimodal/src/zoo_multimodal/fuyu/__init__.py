"""Fuyu (https://www.adept.ai/blog/fuyu-8b)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="fuyu",
    config="zoo_multimodal.fuyu.config:FuyuConfig",
    models=classes(
        "zoo_multimodal.fuyu.model",
        AutoModel="FuyuModel",
        AutoModelForCausalLM="FuyuForCausalLM",
        AutoModelForImageTextToText="FuyuForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.padded:FuyuImageProcessor",
    processor="zoo_multimodal.fuyu.processor:FuyuProcessor",
)
