"""KOSMOS-2.5 (https://arxiv.org/abs/2309.11419)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="kosmos-2.5",
    config="zoo_multimodal.kosmos_2_5.config:Kosmos2_5Config",
    models=classes(
        "zoo_multimodal.kosmos_2_5.model",
        AutoModel="Kosmos2_5Model",
        AutoModelForImageTextToText="Kosmos2_5ForConditionalGeneration",
        AutoModelForVision2Seq="Kosmos2_5ForConditionalGeneration",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    image_processor="zoo_vision.processing.patches:Kosmos2_5ImageProcessor",
    processor="zoo_multimodal.kosmos_2_5.processor:Kosmos2_5Processor",
)
