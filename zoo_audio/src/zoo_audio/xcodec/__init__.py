"""X-Codec (https://arxiv.org/abs/2408.17175)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="xcodec",
    config="zoo_audio.xcodec.config:XcodecConfig",
    models=classes("zoo_audio.xcodec.model", AutoModel="XcodecModel"),
    feature_extractor="zoo_audio.features.waveform:DacFeatureExtractor",
)
