"""Qwen3-Omni (https://arxiv.org/abs/2509.17765)."""

from zoo_core.architecture import Architecture, classes

TEXT = Architecture(
    model_type="qwen3_omni_moe_text",
    config="zoo_multimodal.qwen3_omni_moe.config:Qwen3OmniMoeTextConfig",
    models=classes("zoo_multimodal.qwen3_omni_moe.thinker", AutoModel="Qwen3OmniMoeThinkerTextModel"),
)

THINKER = Architecture(
    model_type="qwen3_omni_moe_thinker",
    config="zoo_multimodal.qwen3_omni_moe.config:Qwen3OmniMoeThinkerConfig",
    models=classes(
        "zoo_multimodal.qwen3_omni_moe.thinker",
        AutoModel="Qwen3OmniMoeThinkerForConditionalGeneration",
    ),
)

ARCHITECTURE = Architecture(
    model_type="qwen3_omni_moe",
    config="zoo_multimodal.qwen3_omni_moe.config:Qwen3OmniMoeConfig",
    models=classes(
        "zoo_multimodal.qwen3_omni_moe.model",
        AutoModelForTextToWaveform="Qwen3OmniMoeForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    image_processor="zoo_vision.processing.patches:Qwen2VLImageProcessor",
    feature_extractor="zoo_audio.features.log_mel:WhisperFeatureExtractor",
    video_processor="zoo_vision.processing.videos:Qwen2VLVideoProcessor",
    processor="zoo_multimodal.qwen3_omni_moe.processor:Qwen3OmniMoeProcessor",
)
