"""EnCodec (https://arxiv.org/abs/2210.13438)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="encodec",
    config="zoo_audio.encodec.config:EncodecConfig",
    models=classes("zoo_audio.encodec.model", AutoModel="EncodecModel"),
    feature_extractor="zoo_audio.features.waveform:EncodecFeatureExtractor",
)
