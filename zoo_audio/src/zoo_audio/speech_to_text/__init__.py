"""Speech2Text (https://arxiv.org/abs/2010.05171)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="speech_to_text",
    config="zoo_audio.speech_to_text.config:Speech2TextConfig",
    models=classes(
        "zoo_audio.speech_to_text.model",
        AutoModel="Speech2TextModel",
        AutoModelForSpeechSeq2Seq="Speech2TextForConditionalGeneration",
        AutoModelWithLMHead="Speech2TextForConditionalGeneration",
    ),
    tokenizer="zoo_audio.tokenizers.speech:Speech2TextTokenizer",
    feature_extractor="zoo_audio.features.kaldi:Speech2TextFeatureExtractor",
    processor="zoo_audio.speech_to_text.processor:Speech2TextProcessor",
)
