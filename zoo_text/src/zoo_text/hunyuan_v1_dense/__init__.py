"""Hunyuan."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="hunyuan_v1_dense",
    config="zoo_text.hunyuan_v1_dense.config:HunYuanDenseV1Config",
    models=classes(
        "zoo_text.hunyuan_v1_dense.model",
        AutoModel="HunYuanDenseV1Model",
        AutoModelForCausalLM="HunYuanDenseV1ForCausalLM",
        AutoModelForSequenceClassification="HunYuanDenseV1ForSequenceClassification",
    ),
)
