"""Qwen2-Audio (https://arxiv.org/abs/2407.10759)."""

from zoo_core.architecture import Architecture, classes

ENCODER = Architecture(
    model_type="qwen2_audio_encoder",
    config="zoo_multimodal.qwen2_audio.config:Qwen2AudioEncoderConfig",
    models=classes("zoo_multimodal.qwen2_audio.model", AutoModel="Qwen2AudioEncoder"),
)

ARCHITECTURE = Architecture(
    model_type="qwen2_audio",
    config="zoo_multimodal.qwen2_audio.config:Qwen2AudioConfig",
    models=classes(
        "zoo_multimodal.qwen2_audio.model",
        AutoModelForPreTraining="Qwen2AudioForConditionalGeneration",
        AutoModelForSeq2SeqLM="Qwen2AudioForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    feature_extractor="zoo_audio.features.log_mel:WhisperFeatureExtractor",
    processor="zoo_multimodal.qwen2_audio.processor:Qwen2AudioProcessor",
)
