"""Aya Vision (https://arxiv.org/abs/2505.08751)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="aya_vision",
    config="zoo_multimodal.aya_vision.config:AyaVisionConfig",
    models=classes(
        "zoo_multimodal.aya_vision.model",
        AutoModel="AyaVisionModel",
        AutoModelForImageTextToText="AyaVisionForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CohereTokenizer",
    processor="zoo_multimodal.aya_vision.processor:AyaVisionProcessor",
)
