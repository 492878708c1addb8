"""UniSpeech-SAT (https://arxiv.org/abs/2110.05752)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="unispeech-sat",
    config="zoo_audio.unispeech_sat.config:UniSpeechSatConfig",
    models=classes(
        "zoo_audio.unispeech_sat.model",
        AutoModel="UniSpeechSatModel",
        AutoModelForPreTraining="UniSpeechSatForPreTraining",
        AutoModelForAudioClassification="UniSpeechSatForSequenceClassification",
        AutoModelForCTC="UniSpeechSatForCTC",
        AutoModelForAudioFrameClassification="UniSpeechSatForAudioFrameClassification",
        AutoModelForAudioXVector="UniSpeechSatForXVector",
    ),
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    processor="zoo_audio.wav2vec2.processor:Wav2Vec2Processor",
)
