"""Hunyuan MoE (https://arxiv.org/abs/2411.02265)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="hunyuan_v1_moe",
    config="zoo_text.hunyuan_v1_moe.config:HunYuanMoEV1Config",
    models=classes(
        "zoo_text.hunyuan_v1_moe.model",
        AutoModel="HunYuanMoEV1Model",
        AutoModelForCausalLM="HunYuanMoEV1ForCausalLM",
        AutoModelForSequenceClassification="HunYuanMoEV1ForSequenceClassification",
    ),
)
