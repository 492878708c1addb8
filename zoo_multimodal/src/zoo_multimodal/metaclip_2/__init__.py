"""MetaCLIP 2 (https://arxiv.org/abs/2507.22062): CLIP for the languages of the world."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="metaclip_2",
    config="zoo_multimodal.metaclip_2.config:MetaClip2Config",
    models=classes(
        "zoo_multimodal.metaclip_2.model",
        AutoModel="MetaClip2Model",
        AutoModelForZeroShotImageClassification="MetaClip2Model",
        AutoModelForImageClassification="MetaClip2ForImageClassification",
    ),
    tokenizer="zoo_text.tokenizers.unigram:XLMRobertaTokenizer",
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
    processor="zoo_multimodal.clip.processor:CLIPProcessor",
)

TEXT = Architecture(
    model_type="metaclip_2_text_model",
    config="zoo_multimodal.metaclip_2.config:MetaClip2TextConfig",
    models=classes(
        "zoo_multimodal.metaclip_2.model",
        AutoModel=("MetaClip2TextModel", "MetaClip2TextModelWithProjection"),
    ),
)

VISION = Architecture(
    model_type="metaclip_2_vision_model",
    config="zoo_multimodal.metaclip_2.config:MetaClip2VisionConfig",
    models=classes(
        "zoo_multimodal.metaclip_2.model",
        AutoModel=("MetaClip2VisionModel", "MetaClip2VisionModelWithProjection"),
    ),
)
