"""The language model of Qwen3-VL-MoE (https://arxiv.org/abs/2511.21631)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen3_vl_moe_text",
    config="zoo_text.qwen3_vl_moe_text.config:Qwen3VLMoeTextConfig",
    models=classes(
        "zoo_text.qwen3_vl_moe_text.model",
        AutoModel="Qwen3VLMoeTextModel",
    ),
)
