"""Qwen2.5-Omni (https://arxiv.org/abs/2503.20215)."""

from zoo_core.architecture import Architecture, classes

TEXT = Architecture(
    model_type="qwen2_5_omni_text",
    config="zoo_multimodal.qwen2_5_omni.config:Qwen2_5OmniTextConfig",
    models=classes("zoo_multimodal.qwen2_5_omni.thinker", AutoModel="Qwen2_5OmniThinkerTextModel"),
)

THINKER = Architecture(
    model_type="qwen2_5_omni_thinker",
    config="zoo_multimodal.qwen2_5_omni.config:Qwen2_5OmniThinkerConfig",
    models=classes(
        "zoo_multimodal.qwen2_5_omni.thinker",
        AutoModel="Qwen2_5OmniThinkerForConditionalGeneration",
    ),
)

TALKER = Architecture(
    model_type="qwen2_5_omni_talker",
    config="zoo_multimodal.qwen2_5_omni.config:Qwen2_5OmniTalkerConfig",
    models=classes(
        "zoo_multimodal.qwen2_5_omni.talker", AutoModel="Qwen2_5OmniTalkerForConditionalGeneration"
    ),
)

TOKEN2WAV = Architecture(
    model_type="qwen2_5_omni_token2wav",
    config="zoo_multimodal.qwen2_5_omni.config:Qwen2_5OmniToken2WavConfig",
    models=classes("zoo_multimodal.qwen2_5_omni.token2wav", AutoModel="Qwen2_5OmniToken2WavModel"),
)

ARCHITECTURE = Architecture(
    model_type="qwen2_5_omni",
    config="zoo_multimodal.qwen2_5_omni.config:Qwen2_5OmniConfig",
    models=classes(
        "zoo_multimodal.qwen2_5_omni.model", AutoModelForTextToWaveform="Qwen2_5OmniForConditionalGeneration"
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    image_processor="zoo_vision.processing.patches:Qwen2VLImageProcessor",
    feature_extractor="zoo_audio.features.log_mel:WhisperFeatureExtractor",
    video_processor="zoo_vision.processing.videos:Qwen2VLVideoProcessor",
    processor="zoo_multimodal.qwen2_5_omni.processor:Qwen2_5OmniProcessor",
)
