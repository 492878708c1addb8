"""BLIP (https://arxiv.org/abs/2201.12086)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="blip",
    config="zoo_multimodal.blip.config:BlipConfig",
    models=classes(
        "zoo_multimodal.blip.model",
        AutoModel="BlipModel",
        AutoModelForZeroShotImageClassification="BlipModel",
        AutoModelForImageTextToText="BlipForConditionalGeneration",
        AutoModelForVision2Seq="BlipForConditionalGeneration",
        AutoModelForVisualQuestionAnswering="BlipForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
    image_processor="zoo_vision.processing.classification:BlipImageProcessor",
    processor="zoo_multimodal.blip.processor:BlipProcessor",
)

TEXT = Architecture(
    model_type="blip_text_model",
    config="zoo_multimodal.blip.config:BlipTextConfig",
    models=classes("zoo_multimodal.blip.text", AutoModel="BlipTextModel"),
)

VISION = Architecture(
    model_type="blip_vision_model",
    config="zoo_multimodal.blip.config:BlipVisionConfig",
    models=classes("zoo_multimodal.blip.model", AutoModel="BlipVisionModel"),
)
