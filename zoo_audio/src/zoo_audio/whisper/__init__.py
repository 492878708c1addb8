"""Whisper (https://arxiv.org/abs/2212.04356)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="whisper",
    config="zoo_audio.whisper.config:WhisperConfig",
    models=classes(
        "zoo_audio.whisper.model",
        AutoModel=("WhisperModel", "WhisperDecoder"),
        AutoModelForCausalLM="WhisperForCausalLM",
        AutoModelForAudioClassification="WhisperForAudioClassification",
        AutoModelForSpeechSeq2Seq="WhisperForConditionalGeneration",
        AutoModelWithLMHead="WhisperForConditionalGeneration",
    ),
    tokenizer="zoo_audio.tokenizers.whisper:WhisperTokenizer",
    feature_extractor="zoo_audio.features.log_mel:WhisperFeatureExtractor",
    processor="zoo_audio.whisper.processor:WhisperProcessor",
)
