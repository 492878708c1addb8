"""Moonshine: a transcriber of live speech (https://arxiv.org/abs/2410.15608)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="moonshine",
    config="zoo_audio.moonshine.config:MoonshineConfig",
    models=classes(
        "zoo_audio.moonshine.model",
        AutoModel="MoonshineModel",
        AutoModelForSpeechSeq2Seq="MoonshineForConditionalGeneration",
        AutoModelWithLMHead="MoonshineForConditionalGeneration",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    processor="zoo_audio.wav2vec2.processor:Wav2Vec2Processor",
)
