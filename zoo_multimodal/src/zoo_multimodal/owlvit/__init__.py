"""OWL-ViT (https://arxiv.org/abs/2205.06230): detection of what texts or images show."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="owlvit",
    config="zoo_multimodal.owlvit.config:OwlViTConfig",
    models=classes(
        "zoo_multimodal.owlvit.model",
        AutoModel="OwlViTModel",
        AutoModelForZeroShotObjectDetection="OwlViTForObjectDetection",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CLIPTokenizer",
    image_processor="zoo_vision.processing.padded:OwlViTImageProcessor",
    processor="zoo_multimodal.owlvit.processor:OwlViTProcessor",
)

TEXT = Architecture(
    model_type="owlvit_text_model",
    config="zoo_multimodal.owlvit.config:OwlViTTextConfig",
    models=classes("zoo_multimodal.owlvit.model", AutoModel="OwlViTTextModel"),
)

VISION = Architecture(
    model_type="owlvit_vision_model",
    config="zoo_multimodal.owlvit.config:OwlViTVisionConfig",
    models=classes("zoo_multimodal.owlvit.model", AutoModel="OwlViTVisionModel"),
)
