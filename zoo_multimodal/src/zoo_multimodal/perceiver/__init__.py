"""Perceiver IO: one architecture for text, images, flow, sound and video (https://arxiv.org/abs/2107.14795)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="perceiver",
    config="zoo_multimodal.perceiver.config:PerceiverConfig",
    models=classes(
        "zoo_multimodal.perceiver.model",
        AutoModel="PerceiverModel",
        AutoModelForMaskedLM="PerceiverForMaskedLM",
        AutoModelForSequenceClassification="PerceiverForSequenceClassification",
        AutoModelForImageClassification=(
            "PerceiverForImageClassificationLearned",
            "PerceiverForImageClassificationFourier",
            "PerceiverForImageClassificationConvProcessing",
        ),
    ),
    tokenizer="zoo_text.tokenizers.bytes:PerceiverTokenizer",
    image_processor="zoo_vision.processing.classification:PerceiverImageProcessor",
    feature_extractor="zoo_vision.processing.classification:PerceiverImageProcessor",
)
