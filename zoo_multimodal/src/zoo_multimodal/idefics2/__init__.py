"""Idefics2 (https://arxiv.org/abs/2405.02246)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="idefics2",
    config="zoo_multimodal.idefics2.config:Idefics2Config",
    models=classes(
        "zoo_multimodal.idefics2.model",
        AutoModel="Idefics2Model",
        AutoModelForImageTextToText="Idefics2ForConditionalGeneration",
        AutoModelForVision2Seq="Idefics2ForConditionalGeneration",
        AutoModelForPreTraining="Idefics2ForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.tiles_idefics:Idefics2ImageProcessor",
    processor="zoo_multimodal.idefics2.processor:Idefics2Processor",
)
