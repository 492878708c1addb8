"""Moshi, a partner for spoken dialogue (https://arxiv.org/abs/2410.00037)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="moshi",
    config="zoo_audio.moshi.config:MoshiConfig",
    models=classes("zoo_audio.moshi.model", AutoModel="MoshiModel", AutoModelForCausalLM="MoshiForCausalLM"),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    feature_extractor="zoo_audio.features.waveform:EncodecFeatureExtractor",
)
