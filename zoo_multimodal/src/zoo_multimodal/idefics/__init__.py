"""IDEFICS, after Flamingo (https://arxiv.org/abs/2306.16527, https://arxiv.org/abs/2204.14198)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="idefics",
    config="zoo_multimodal.idefics.config:IdeficsConfig",
    models=classes(
        "zoo_multimodal.idefics.model",
        AutoModel="IdeficsModel",
        AutoModelForPreTraining="IdeficsForVisionText2Text",
        AutoModelForImageTextToText="IdeficsForVisionText2Text",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.classification:IdeficsImageProcessor",
    processor="zoo_multimodal.idefics.processor:IdeficsProcessor",
)
