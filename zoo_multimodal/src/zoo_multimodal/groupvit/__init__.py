"""GroupViT (https://arxiv.org/abs/2202.11094): an image and a text tower; the image's patches form groups."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="groupvit",
    config="zoo_multimodal.groupvit.config:GroupViTConfig",
    models=classes("zoo_multimodal.groupvit.model", AutoModel="GroupViTModel"),
    tokenizer="zoo_text.tokenizers.byte_level:CLIPTokenizer",
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
    processor="zoo_multimodal.clip.processor:CLIPProcessor",
)

TEXT = Architecture(
    model_type="groupvit_text_model",
    config="zoo_multimodal.groupvit.config:GroupViTTextConfig",
    models=classes("zoo_multimodal.groupvit.model", AutoModel="GroupViTTextModel"),
)

VISION = Architecture(
    model_type="groupvit_vision_model",
    config="zoo_multimodal.groupvit.config:GroupViTVisionConfig",
    models=classes("zoo_multimodal.groupvit.model", AutoModel="GroupViTVisionModel"),
)
