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
