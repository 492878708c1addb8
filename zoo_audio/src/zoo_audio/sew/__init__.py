"""SEW (https://arxiv.org/abs/2109.06870)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="sew",
    config="zoo_audio.sew.config:SEWConfig",
    models=classes(
        "zoo_audio.sew.model",
        AutoModel="SEWModel",
        AutoModelForAudioClassification="SEWForSequenceClassification",
        AutoModelForCTC="SEWForCTC",
    ),
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    processor="zoo_audio.wav2vec2.processor:Wav2Vec2Processor",
)
