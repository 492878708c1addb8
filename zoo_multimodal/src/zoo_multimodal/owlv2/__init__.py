"""OWLv2 (https://arxiv.org/abs/2306.09683): detection of what texts or images show."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="owlv2",
    config="zoo_multimodal.owlv2.config:Owlv2Config",
    models=classes(
        "zoo_multimodal.owlv2.model",
        AutoModel="Owlv2Model",
        AutoModelForZeroShotObjectDetection="Owlv2ForObjectDetection",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CLIPTokenizer",
    image_processor="zoo_vision.processing.padded:Owlv2ImageProcessor",
    processor="zoo_multimodal.owlv2.processor:Owlv2Processor",
)

TEXT = Architecture(
    model_type="owlv2_text_model",
    config="zoo_multimodal.owlv2.config:Owlv2TextConfig",
    models=classes("zoo_multimodal.owlv2.model", AutoModel="Owlv2TextModel"),
)

VISION = Architecture(
    model_type="owlv2_vision_model",
    config="zoo_multimodal.owlv2.config:Owlv2VisionConfig",
    models=classes("zoo_multimodal.owlv2.model", AutoModel="Owlv2VisionModel"),
)
