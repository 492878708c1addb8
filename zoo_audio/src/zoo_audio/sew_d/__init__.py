"""SEW-D: SEW with the attention of DeBERTa-v2 (https://arxiv.org/abs/2109.06870)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="sew-d",
    config="zoo_audio.sew_d.config:SEWDConfig",
    models=classes(
        "zoo_audio.sew_d.model",
        AutoModel="SEWDModel",
        AutoModelForAudioClassification="SEWDForSequenceClassification",
        AutoModelForCTC="SEWDForCTC",
    ),
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    processor="zoo_audio.wav2vec2.processor:Wav2Vec2Processor",
)
