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
