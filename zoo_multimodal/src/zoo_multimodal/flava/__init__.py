"""FLAVA (https://arxiv.org/abs/2112.04482)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="flava",
    config="zoo_multimodal.flava.config:FlavaConfig",
    models={
        **classes("zoo_multimodal.flava.model", AutoModel="FlavaModel"),
        **classes("zoo_multimodal.flava.pretraining", AutoModelForPreTraining="FlavaForPreTraining"),
    },
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
    image_processor="zoo_vision.processing.prompted:FlavaImageProcessor",
    feature_extractor="zoo_vision.processing.prompted:FlavaImageProcessor",
    processor="zoo_multimodal.flava.processor:FlavaProcessor",
)

TEXT = Architecture(
    model_type="flava_text_model",
    config="zoo_multimodal.flava.config:FlavaTextConfig",
    models=classes("zoo_multimodal.flava.model", AutoModel="FlavaTextModel"),
)

IMAGE = Architecture(
    model_type="flava_image_model",
    config="zoo_multimodal.flava.config:FlavaImageConfig",
    models=classes("zoo_multimodal.flava.model", AutoModel="FlavaImageModel"),
)

MULTIMODAL = Architecture(
    model_type="flava_multimodal_model",
    config="zoo_multimodal.flava.config:FlavaMultimodalConfig",
    models=classes("zoo_multimodal.flava.model", AutoModel="FlavaMultimodalModel"),
)

CODEBOOK = Architecture(
    model_type="flava_image_codebook",
    config="zoo_multimodal.flava.config:FlavaImageCodebookConfig",
    models=classes("zoo_multimodal.flava.codebook", AutoModel="FlavaImageCodebook"),
)
