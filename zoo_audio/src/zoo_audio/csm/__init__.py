"""CSM, Sesame's conversational speech model (https://github.com/SesameAILabs/csm)."""

from zoo_core.architecture import Architecture, classes

DEPTH = Architecture(
    model_type="csm_depth_decoder_model",
    config="zoo_audio.csm.config:CsmDepthDecoderConfig",
    models=classes(
        "zoo_audio.csm.model",
        AutoModel="CsmDepthDecoderModel",
        AutoModelForCausalLM="CsmDepthDecoderForCausalLM",
    ),
)

ARCHITECTURE = Architecture(
    model_type="csm",
    config="zoo_audio.csm.config:CsmConfig",
    models=classes(
        "zoo_audio.csm.model",
        AutoModel="CsmForConditionalGeneration",
        AutoModelForTextToWaveform="CsmForConditionalGeneration",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    feature_extractor="zoo_audio.features.waveform:EncodecFeatureExtractor",
)
