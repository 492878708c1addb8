"""Voxtral (https://arxiv.org/abs/2507.13264)."""

from zoo_core.architecture import Architecture, classes

ENCODER = Architecture(
    model_type="voxtral_encoder",
    config="zoo_multimodal.voxtral.config:VoxtralEncoderConfig",
    models=classes("zoo_multimodal.voxtral.model", AutoModel="VoxtralEncoder"),
)

ARCHITECTURE = Architecture(
    model_type="voxtral",
    config="zoo_multimodal.voxtral.config:VoxtralConfig",
    models=classes(
        "zoo_multimodal.voxtral.model",
        AutoModel="VoxtralForConditionalGeneration",
        AutoModelForPreTraining="VoxtralForConditionalGeneration",
        AutoModelForSeq2SeqLM="VoxtralForConditionalGeneration",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    feature_extractor="zoo_audio.features.log_mel:WhisperFeatureExtractor",
    processor="zoo_multimodal.voxtral.processor:VoxtralProcessor",
)
