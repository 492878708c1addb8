"""The language model of Qwen2-VL (https://arxiv.org/abs/2409.12191)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen2_vl_text",
    config="zoo_text.qwen2_vl_text.config:Qwen2VLTextConfig",
    models=classes(
        "zoo_text.qwen2_vl_text.model",
        AutoModel="Qwen2VLTextModel",
    ),
)
