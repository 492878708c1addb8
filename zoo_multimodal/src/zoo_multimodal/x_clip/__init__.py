"""X-CLIP (https://arxiv.org/abs/2208.02816): CLIP for videos."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="xclip",
    config="zoo_multimodal.x_clip.config:XCLIPConfig",
    models=classes("zoo_multimodal.x_clip.model", AutoModel="XCLIPModel"),
    tokenizer="zoo_text.tokenizers.byte_level:CLIPTokenizer",
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
    processor="zoo_multimodal.x_clip.processor:XCLIPProcessor",
)

TEXT = Architecture(
    model_type="xclip_text_model",
    config="zoo_multimodal.x_clip.config:XCLIPTextConfig",
    models=classes("zoo_multimodal.x_clip.model", AutoModel="XCLIPTextModel"),
)

VISION = Architecture(
    model_type="xclip_vision_model",
    config="zoo_multimodal.x_clip.config:XCLIPVisionConfig",
    models=classes("zoo_multimodal.x_clip.model", AutoModel="XCLIPVisionModel"),
)
