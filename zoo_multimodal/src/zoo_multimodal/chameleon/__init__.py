"""Chameleon (https://arxiv.org/abs/2405.09818)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="chameleon",
    config="zoo_multimodal.chameleon.config:ChameleonConfig",
    models=classes(
        "zoo_multimodal.chameleon.model",
        AutoModel="ChameleonModel",
        AutoModelForImageTextToText="ChameleonForConditionalGeneration",
        AutoModelForVision2Seq="ChameleonForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.classification:ChameleonImageProcessor",
    processor="zoo_multimodal.chameleon.processor:ChameleonProcessor",
)
