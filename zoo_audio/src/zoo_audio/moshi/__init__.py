"""Moshi, a partner for spoken dialogue (https://arxiv.org/abs/2410.00037)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="moshi",
    config="zoo_audio.moshi.config:MoshiConfig",
    models=classes(
        "zoo_audio.moshi.model",
        AutoModel=("MoshiModel", "MoshiForConditionalGeneration"),
        AutoModelForCausalLM="MoshiForCausalLM",
        AutoModelForTextToWaveform="MoshiForConditionalGeneration",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    feature_extractor="zoo_audio.features.waveform:EncodecFeatureExtractor",
)

DEPTH = Architecture(
    model_type="moshi_depth",
    config="zoo_audio.moshi.config:MoshiDepthConfig",
    models=classes("zoo_audio.moshi.depth", AutoModel="MoshiDepthDecoder"),
)
