"""Florence-2 (https://arxiv.org/abs/2311.06242)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="florence2",
    config="zoo_multimodal.florence2.config:Florence2Config",
    models=classes(
        "zoo_multimodal.florence2.model",
        AutoModel="Florence2Model",
        AutoModelForPreTraining="Florence2ForConditionalGeneration",
        AutoModelForImageTextToText="Florence2ForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:BartTokenizer",
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
    processor="zoo_multimodal.florence2.processor:Florence2Processor",
)

VISION = Architecture(
    model_type="florence_vision",
    config="zoo_multimodal.florence2.config:Florence2VisionConfig",
    models=classes("zoo_multimodal.florence2.vision", AutoModel="Florence2VisionBackbone"),
)
