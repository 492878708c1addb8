"""AIMv2 (https://arxiv.org/abs/2411.14402): image encoders, and an image and a text tower."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="aimv2",
    config="zoo_multimodal.aimv2.config:Aimv2Config",
    models=classes("zoo_multimodal.aimv2.model", AutoModel="Aimv2Model"),
    tokenizer="zoo_text.tokenizers.byte_level:CLIPTokenizer",
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
    processor="zoo_multimodal.clip.processor:CLIPProcessor",
)

TEXT = Architecture(
    model_type="aimv2_text_model",
    config="zoo_multimodal.aimv2.config:Aimv2TextConfig",
    models=classes("zoo_multimodal.aimv2.model", AutoModel="Aimv2TextModel"),
)

VISION = Architecture(
    model_type="aimv2_vision_model",
    config="zoo_multimodal.aimv2.config:Aimv2VisionConfig",
    models=classes("zoo_multimodal.aimv2.model", AutoModel="Aimv2VisionModel"),
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
)
