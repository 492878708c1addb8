"""MusicGen Melody (https://arxiv.org/abs/2306.05284): codes of music from text and a melody's chroma."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="musicgen_melody",
    config="zoo_multimodal.musicgen_melody.config:MusicgenMelodyConfig",
    models=classes(
        "zoo_multimodal.musicgen_melody.model",
        AutoModel=("MusicgenMelodyModel", "MusicgenMelodyForConditionalGeneration"),
        AutoModelForCausalLM="MusicgenMelodyForCausalLM",
        AutoModelForTextToWaveform="MusicgenMelodyForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.unigram:T5Tokenizer",
)

DECODER = Architecture(
    model_type="musicgen_melody_decoder",
    config="zoo_multimodal.musicgen_melody.config:MusicgenMelodyDecoderConfig",
    models=classes(
        "zoo_multimodal.musicgen_melody.model",
        AutoModel="MusicgenMelodyModel",
        AutoModelForCausalLM="MusicgenMelodyForCausalLM",
    ),
)
