"""data2vec for speech (https://arxiv.org/abs/2202.03555)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="data2vec-audio",
    config="zoo_audio.data2vec_audio.config:Data2VecAudioConfig",
    models=classes(
        "zoo_audio.data2vec_audio.model",
        AutoModel="Data2VecAudioModel",
        AutoModelForAudioClassification="Data2VecAudioForSequenceClassification",
        AutoModelForCTC="Data2VecAudioForCTC",
        AutoModelForAudioFrameClassification="Data2VecAudioForAudioFrameClassification",
        AutoModelForAudioXVector="Data2VecAudioForXVector",
    ),
    tokenizer="zoo_audio.tokenizers.ctc:Wav2Vec2CTCTokenizer",
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
)
