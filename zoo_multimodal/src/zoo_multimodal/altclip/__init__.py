"""AltCLIP (https://arxiv.org/abs/2211.06679): CLIP whose text tower is an XLM-RoBERTa."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="altclip",
    config="zoo_multimodal.altclip.config:AltCLIPConfig",
    models=classes(
        "zoo_multimodal.altclip.model",
        AutoModel="AltCLIPModel",
        AutoModelForZeroShotImageClassification="AltCLIPModel",
    ),
    tokenizer="zoo_text.tokenizers.unigram:XLMRobertaTokenizer",
    image_processor="zoo_vision.processing.classification:CLIPImageProcessor",
    processor="zoo_multimodal.altclip.processor:AltCLIPProcessor",
)

TEXT = Architecture(
    model_type="altclip_text_model",
    config="zoo_multimodal.altclip.config:AltCLIPTextConfig",
    models=classes("zoo_multimodal.altclip.model", AutoModel="AltCLIPTextModel"),
)

VISION = Architecture(
    model_type="altclip_vision_model",
    config="zoo_multimodal.altclip.config:AltCLIPVisionConfig",
    models=classes("zoo_multimodal.altclip.model", AutoModel="AltCLIPVisionModel"),
)
