"""Pix2Struct (https://arxiv.org/abs/2210.03347): text from screenshots, documents, charts and pictures."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="pix2struct",
    config="zoo_multimodal.pix2struct.config:Pix2StructConfig",
    models=classes(
        "zoo_multimodal.pix2struct.model",
        AutoModelForImageTextToText="Pix2StructForConditionalGeneration",
        AutoModelForVision2Seq="Pix2StructForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.unigram:T5Tokenizer",
    image_processor="zoo_vision.processing.patches:Pix2StructImageProcessor",
    processor="zoo_multimodal.pix2struct.processor:Pix2StructProcessor",
)

TEXT = Architecture(
    model_type="pix2struct_text_model",
    config="zoo_multimodal.pix2struct.config:Pix2StructTextConfig",
    models=classes("zoo_multimodal.pix2struct.model", AutoModel="Pix2StructTextModel"),
)

VISION = Architecture(
    model_type="pix2struct_vision_model",
    config="zoo_multimodal.pix2struct.config:Pix2StructVisionConfig",
    models=classes("zoo_multimodal.pix2struct.model", AutoModel="Pix2StructVisionModel"),
)
