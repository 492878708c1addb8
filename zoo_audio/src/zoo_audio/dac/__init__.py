"""DAC, the Descript audio codec (https://arxiv.org/abs/2306.06546)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dac",
    config="zoo_audio.dac.config:DacConfig",
    models=classes("zoo_audio.dac.model", AutoModel="DacModel", AutoModelForAudioTokenization="DacModel"),
    feature_extractor="zoo_audio.features.waveform:DacFeatureExtractor",
)
