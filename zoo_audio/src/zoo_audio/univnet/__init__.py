"""UnivNet (https://arxiv.org/abs/2106.07889)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="univnet",
    config="zoo_audio.univnet.config:UnivNetConfig",
    models=classes("zoo_audio.univnet.model", AutoModel="UnivNetModel"),
    feature_extractor="zoo_audio.features.vocoding:UnivNetFeatureExtractor",
)
