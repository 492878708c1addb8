"""LFM2-VL (https://www.liquid.ai/blog/lfm2-vl-efficient-vision-language-models)."""

from dataclasses import replace

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="lfm2_vl",
    config="zoo_multimodal.lfm2_vl.config:Lfm2VlConfig",
    models=classes(
        "zoo_multimodal.lfm2_vl.model",
        AutoModel="Lfm2VlModel",
        AutoModelForImageTextToText="Lfm2VlForConditionalGeneration",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    image_processor="zoo_vision.processing.tiles_flexible:Lfm2VlImageProcessorFast",
    processor="zoo_multimodal.lfm2_vl.processor:Lfm2VlProcessor",
)

OF_FILES = replace(ARCHITECTURE, model_type="lfm2-vl")
