"""SigLIP 2 (https://arxiv.org/abs/2502.14786), the variant that takes images of any shape."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="siglip2",
    config="zoo_multimodal.siglip2.config:Siglip2Config",
    models=classes(
        "zoo_multimodal.siglip2.model",
        AutoModel="Siglip2Model",
        AutoModelForZeroShotImageClassification="Siglip2Model",
        AutoModelForImageClassification="Siglip2ForImageClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:GemmaTokenizer",
    image_processor="zoo_vision.processing.patches:Siglip2ImageProcessor",
    processor="zoo_multimodal.siglip2.processor:Siglip2Processor",
)

TEXT = Architecture(
    model_type="siglip2_text_model",
    config="zoo_multimodal.siglip2.config:Siglip2TextConfig",
    models=classes("zoo_multimodal.siglip2.model", AutoModel="Siglip2TextModel"),
)

VISION = Architecture(
    model_type="siglip2_vision_model",
    config="zoo_multimodal.siglip2.config:Siglip2VisionConfig",
    models=classes("zoo_multimodal.siglip2.model", AutoModel="Siglip2VisionModel"),
)
