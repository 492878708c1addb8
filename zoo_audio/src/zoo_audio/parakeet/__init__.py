"""Parakeet: a FastConformer with a CTC head (https://arxiv.org/abs/2305.05084)."""

from zoo_core.architecture import Architecture, classes

ENCODER = Architecture(
    model_type="parakeet_encoder",
    config="zoo_audio.parakeet.config:ParakeetEncoderConfig",
    models=classes("zoo_audio.parakeet.model", AutoModel="ParakeetEncoder"),
    feature_extractor="zoo_audio.features.frames:ParakeetFeatureExtractor",
)

CTC = Architecture(
    model_type="parakeet_ctc",
    config="zoo_audio.parakeet.config:ParakeetCTCConfig",
    models=classes("zoo_audio.parakeet.model", AutoModel="ParakeetForCTC", AutoModelForCTC="ParakeetForCTC"),
    feature_extractor="zoo_audio.features.frames:ParakeetFeatureExtractor",
)
