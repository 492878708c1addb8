"""ALIGN (https://arxiv.org/abs/2102.05918): an EfficientNet and a BERT with one embedding space."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="align",
    config="zoo_multimodal.align.config:AlignConfig",
    models=classes(
        "zoo_multimodal.align.model",
        AutoModel="AlignModel",
        AutoModelForZeroShotImageClassification="AlignModel",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
    image_processor="zoo_vision.processing.classification:EfficientNetImageProcessor",
    processor="zoo_multimodal.align.processor:AlignProcessor",
)

TEXT = Architecture(
    model_type="align_text_model",
    config="zoo_multimodal.align.config:AlignTextConfig",
    models=classes("zoo_multimodal.align.model", AutoModel="AlignTextModel"),
)

VISION = Architecture(
    model_type="align_vision_model",
    config="zoo_multimodal.align.config:AlignVisionConfig",
    models=classes("zoo_multimodal.align.model", AutoModel="AlignVisionModel"),
)
