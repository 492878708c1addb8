"""Audio Spectrogram Transformer (https://arxiv.org/abs/2104.01778)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="audio-spectrogram-transformer",
    config="zoo_audio.audio_spectrogram_transformer.config:ASTConfig",
    models=classes(
        "zoo_audio.audio_spectrogram_transformer.model",
        AutoModel="ASTModel",
        AutoModelForAudioClassification="ASTForAudioClassification",
    ),
    feature_extractor="zoo_audio.features.kaldi:ASTFeatureExtractor",
)
