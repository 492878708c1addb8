"""CLIP (https://arxiv.org/abs/2103.00020): an image and a text tower with one embedding space."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="clip",
    config="zoo_multimodal.clip.config:CLIPConfig",
    models=classes(
        "zoo_multimodal.clip.model",
        AutoModel="CLIPModel",
        AutoModelForZeroShotImageClassification="CLIPModel",
        AutoModelForImageClassification="CLIPForImageClassification",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CLIPTokenizer",
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
    processor="zoo_multimodal.clip.processor:CLIPProcessor",
)

TEXT = Architecture(
    model_type="clip_text_model",
    config="zoo_multimodal.clip.config:CLIPTextConfig",
    models=classes(
        "zoo_multimodal.clip.model", AutoModel="CLIPTextModel", AutoModelForTextEncoding="CLIPTextModel"
    ),
)

VISION = Architecture(
    model_type="clip_vision_model",
    config="zoo_multimodal.clip.config:CLIPVisionConfig",
    models=classes("zoo_multimodal.clip.model", AutoModel="CLIPVisionModel"),
)
