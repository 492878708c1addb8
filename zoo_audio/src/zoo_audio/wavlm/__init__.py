"""WavLM (https://arxiv.org/abs/2110.13900)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="wavlm",
    config="zoo_audio.wavlm.config:WavLMConfig",
    models=classes(
        "zoo_audio.wavlm.model",
        AutoModel="WavLMModel",
        AutoModelForAudioClassification="WavLMForSequenceClassification",
        AutoModelForCTC="WavLMForCTC",
        AutoModelForAudioFrameClassification="WavLMForAudioFrameClassification",
        AutoModelForAudioXVector="WavLMForXVector",
    ),
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    processor="zoo_audio.wav2vec2.processor:Wav2Vec2Processor",
)
