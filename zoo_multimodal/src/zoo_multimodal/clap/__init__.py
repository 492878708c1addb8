"""CLAP (https://arxiv.org/abs/2211.06687): a sound and a text tower with one embedding space."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="clap",
    config="zoo_multimodal.clap.config:ClapConfig",
    models=classes("zoo_multimodal.clap.model", AutoModel="ClapModel"),
    tokenizer="zoo_text.tokenizers.byte_level:RobertaTokenizer",
    feature_extractor="zoo_audio.features.log_mel:ClapFeatureExtractor",
    processor="zoo_multimodal.clap.processor:ClapProcessor",
)

TEXT = Architecture(
    model_type="clap_text_model",
    config="zoo_multimodal.clap.config:ClapTextConfig",
    models=classes("zoo_multimodal.clap.model", AutoModel=("ClapTextModel", "ClapTextModelWithProjection")),
)

AUDIO = Architecture(
    model_type="clap_audio_model",
    config="zoo_multimodal.clap.config:ClapAudioConfig",
    models=classes("zoo_multimodal.clap.model", AutoModel=("ClapAudioModel", "ClapAudioModelWithProjection")),
)
