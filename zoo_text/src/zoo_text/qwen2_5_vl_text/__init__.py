"""The language model of Qwen2.5-VL (https://arxiv.org/abs/2502.13923)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen2_5_vl_text",
    config="zoo_text.qwen2_5_vl_text.config:Qwen2_5_VLTextConfig",
    models=classes(
        "zoo_text.qwen2_5_vl_text.model",
        AutoModel="Qwen2_5_VLTextModel",
    ),
)
