"""Mimi, the codec of Moshi (https://arxiv.org/abs/2410.00037)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mimi",
    config="zoo_audio.mimi.config:MimiConfig",
    models=classes("zoo_audio.mimi.model", AutoModel="MimiModel"),
    feature_extractor="zoo_audio.features.waveform:EncodecFeatureExtractor",
)
