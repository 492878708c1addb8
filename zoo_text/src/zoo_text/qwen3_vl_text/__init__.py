"""The language model of Qwen3-VL (https://arxiv.org/abs/2511.21631)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen3_vl_text",
    config="zoo_text.qwen3_vl_text.config:Qwen3VLTextConfig",
    models=classes(
        "zoo_text.qwen3_vl_text.model",
        AutoModel="Qwen3VLTextModel",
    ),
)
