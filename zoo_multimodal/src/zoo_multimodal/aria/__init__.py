"""Aria (https://arxiv.org/abs/2410.05993)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="aria",
    config="zoo_multimodal.aria.config:AriaConfig",
    models=classes(
        "zoo_multimodal.aria.model",
        AutoModel="AriaModel",
        AutoModelForImageTextToText="AriaForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.tiles_canvas:AriaImageProcessor",
    processor="zoo_multimodal.aria.processor:AriaProcessor",
)
