"""Pixtral (https://arxiv.org/abs/2410.07073); whole models are of type llava."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="pixtral",
    config="zoo_multimodal.pixtral.config:PixtralVisionConfig",
    models={
        **classes("zoo_multimodal.pixtral.model", AutoModel="PixtralVisionModel"),
        **classes("zoo_multimodal.llava.model", AutoModelForImageTextToText="LlavaForConditionalGeneration"),
    },
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    image_processor="zoo_vision.processing.tiles_canvas:PixtralImageProcessor",
    processor="zoo_multimodal.pixtral.processor:PixtralProcessor",
)
