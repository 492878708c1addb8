"""KOSMOS-2 (https://arxiv.org/abs/2306.14824)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="kosmos-2",
    config="zoo_multimodal.kosmos_2.config:Kosmos2Config",
    models=classes(
        "zoo_multimodal.kosmos_2.model",
        AutoModel="Kosmos2Model",
        AutoModelForImageTextToText="Kosmos2ForConditionalGeneration",
        AutoModelForVision2Seq="Kosmos2ForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.unigram:XLMRobertaTokenizer",
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
    processor="zoo_multimodal.kosmos_2.processor:Kosmos2Processor",
)
