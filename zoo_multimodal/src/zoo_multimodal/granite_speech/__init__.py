"""Granite Speech (https://arxiv.org/abs/2505.08699)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="granite_speech",
    config="zoo_multimodal.granite_speech.config:GraniteSpeechConfig",
    models=classes(
        "zoo_multimodal.granite_speech.model",
        AutoModelForSeq2SeqLM="GraniteSpeechForConditionalGeneration",
        AutoModelForSpeechSeq2Seq="GraniteSpeechForConditionalGeneration",
    ),
    feature_extractor="zoo_audio.features.granite:GraniteSpeechFeatureExtractor",
    processor="zoo_multimodal.granite_speech.processor:GraniteSpeechProcessor",
)

ENCODER = Architecture(
    model_type="granite_speech_encoder",
    config="zoo_multimodal.granite_speech.config:GraniteSpeechEncoderConfig",
    models=classes("zoo_multimodal.granite_speech.encoder", AutoModel="GraniteSpeechEncoder"),
)
