"""Ovis2 (https://arxiv.org/abs/2405.20797)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="ovis2",
    config="zoo_multimodal.ovis2.config:Ovis2Config",
    models=classes(
        "zoo_multimodal.ovis2.model",
        AutoModel="Ovis2Model",
        AutoModelForImageTextToText="Ovis2ForConditionalGeneration",
        AutoModelForVision2Seq="Ovis2ForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    image_processor="zoo_vision.processing.tiles_flexible:Ovis2ImageProcessor",
    processor="zoo_multimodal.ovis2.processor:Ovis2Processor",
)
