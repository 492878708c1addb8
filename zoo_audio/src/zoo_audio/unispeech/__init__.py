"""UniSpeech (https://arxiv.org/abs/2101.07597)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="unispeech",
    config="zoo_audio.unispeech.config:UniSpeechConfig",
    models=classes(
        "zoo_audio.unispeech.model",
        AutoModel="UniSpeechModel",
        AutoModelForPreTraining="UniSpeechForPreTraining",
        AutoModelForAudioClassification="UniSpeechForSequenceClassification",
        AutoModelForCTC="UniSpeechForCTC",
    ),
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    processor="zoo_audio.wav2vec2.processor:Wav2Vec2Processor",
)
