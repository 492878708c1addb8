"""Idefics3 (https://arxiv.org/abs/2408.12637)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="idefics3",
    config="zoo_multimodal.idefics3.config:Idefics3Config",
    models=classes(
        "zoo_multimodal.idefics3.model",
        AutoModel="Idefics3Model",
        AutoModelForImageTextToText="Idefics3ForConditionalGeneration",
        AutoModelForVision2Seq="Idefics3ForConditionalGeneration",
        AutoModelForPreTraining="Idefics3ForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
    image_processor="zoo_vision.processing.tiles_idefics:Idefics3ImageProcessor",
    processor="zoo_multimodal.idefics3.processor:Idefics3Processor",
)

VISION = Architecture(
    model_type="idefics3_vision",
    config="zoo_multimodal.idefics3.config:Idefics3VisionConfig",
    models=classes("zoo_multimodal.idefics3.model", AutoModel="Idefics3VisionTransformer"),
)
