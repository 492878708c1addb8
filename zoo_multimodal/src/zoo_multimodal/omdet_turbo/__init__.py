"""OmDet-Turbo (https://arxiv.org/abs/2403.06892): fast detection of classes in words."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="omdet-turbo",
    config="zoo_multimodal.omdet_turbo.config:OmDetTurboConfig",
    models=classes(
        "zoo_multimodal.omdet_turbo.model",
        AutoModel="OmDetTurboForObjectDetection",
        AutoModelForZeroShotObjectDetection="OmDetTurboForObjectDetection",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CLIPTokenizer",
    image_processor="zoo_vision.processing.detection:DetrImageProcessor",
    processor="zoo_multimodal.omdet_turbo.processor:OmDetTurboProcessor",
)
