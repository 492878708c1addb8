"""MusicGen (https://arxiv.org/abs/2306.05284): codes of music from text."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="musicgen",
    config="zoo_multimodal.musicgen.config:MusicgenConfig",
    models=classes(
        "zoo_multimodal.musicgen.model",
        AutoModel=("MusicgenModel", "MusicgenForConditionalGeneration"),
        AutoModelForCausalLM="MusicgenForCausalLM",
        AutoModelForTextToWaveform="MusicgenForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.unigram:T5Tokenizer",
    feature_extractor="zoo_audio.features.waveform:EncodecFeatureExtractor",
    processor="zoo_multimodal.musicgen.processor:MusicgenProcessor",
)

DECODER = Architecture(
    model_type="musicgen_decoder",
    config="zoo_multimodal.musicgen.config:MusicgenDecoderConfig",
    models=classes(
        "zoo_multimodal.musicgen.model",
        AutoModel="MusicgenModel",
        AutoModelForCausalLM="MusicgenForCausalLM",
    ),
)
