"""Kyutai's speech-to-text (https://arxiv.org/abs/2509.08753)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="kyutai_speech_to_text",
    config="zoo_audio.kyutai_speech_to_text.config:KyutaiSpeechToTextConfig",
    models=classes(
        "zoo_audio.kyutai_speech_to_text.model",
        AutoModel="KyutaiSpeechToTextModel",
        AutoModelForSpeechSeq2Seq="KyutaiSpeechToTextForConditionalGeneration",
    ),
    feature_extractor="zoo_audio.features.waveform:KyutaiSpeechToTextFeatureExtractor",
    processor="zoo_audio.kyutai_speech_to_text.processor:KyutaiSpeechToTextProcessor",
)
