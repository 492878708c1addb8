"""OneFormer (https://arxiv.org/abs/2211.06220)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="oneformer",
    config="zoo_multimodal.oneformer.config:OneFormerConfig",
    models=classes(
        "zoo_multimodal.oneformer.model",
        AutoModel="OneFormerModel",
        AutoModelForUniversalSegmentation="OneFormerForUniversalSegmentation",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CLIPTokenizer",
    image_processor="zoo_multimodal.oneformer.image_processor:OneFormerImageProcessor",
    processor="zoo_multimodal.oneformer.processor:OneFormerProcessor",
)
