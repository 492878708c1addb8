"""SigLIP (https://arxiv.org/abs/2303.15343): an image and a text tower, trained pair by pair."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="siglip",
    config="zoo_multimodal.siglip.config:SiglipConfig",
    models=classes(
        "zoo_multimodal.siglip.model",
        AutoModel="SiglipModel",
        AutoModelForZeroShotImageClassification="SiglipModel",
        AutoModelForImageClassification="SiglipForImageClassification",
    ),
    tokenizer="zoo_text.tokenizers.unigram:SiglipTokenizer",
    image_processor="zoo_vision.processing.classification:SiglipImageProcessor",
    processor="zoo_multimodal.siglip.processor:SiglipProcessor",
)

TEXT = Architecture(
    model_type="siglip_text_model",
    config="zoo_multimodal.siglip.config:SiglipTextConfig",
    models=classes("zoo_multimodal.siglip.model", AutoModel="SiglipTextModel"),
)

VISION = Architecture(
    model_type="siglip_vision_model",
    config="zoo_multimodal.siglip.config:SiglipVisionConfig",
    models=classes("zoo_multimodal.siglip.model", AutoModel="SiglipVisionModel"),
)
