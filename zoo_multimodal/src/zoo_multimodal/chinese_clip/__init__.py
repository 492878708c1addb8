"""Chinese-CLIP (https://arxiv.org/abs/2211.01335): CLIP whose text tower is a BERT."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="chinese_clip",
    config="zoo_multimodal.chinese_clip.config:ChineseCLIPConfig",
    models=classes(
        "zoo_multimodal.chinese_clip.model",
        AutoModel="ChineseCLIPModel",
        AutoModelForZeroShotImageClassification="ChineseCLIPModel",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
    image_processor="zoo_vision.processing.classification:ChineseCLIPImageProcessor",
    processor="zoo_multimodal.chinese_clip.processor:ChineseCLIPProcessor",
)

TEXT = Architecture(
    model_type="chinese_clip_text_model",
    config="zoo_multimodal.chinese_clip.config:ChineseCLIPTextConfig",
    models=classes("zoo_multimodal.chinese_clip.model", AutoModel="ChineseCLIPTextModel"),
)

VISION = Architecture(
    model_type="chinese_clip_vision_model",
    config="zoo_multimodal.chinese_clip.config:ChineseCLIPVisionConfig",
    models=classes("zoo_multimodal.chinese_clip.model", AutoModel="ChineseCLIPVisionModel"),
)
