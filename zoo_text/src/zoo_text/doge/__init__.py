"""Doge (https://arxiv.org/abs/2412.11834)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="doge",
    config="zoo_text.doge.config:DogeConfig",
    models=classes(
        "zoo_text.doge.model",
        AutoModel="DogeModel",
        AutoModelForCausalLM="DogeForCausalLM",
        AutoModelForSequenceClassification="DogeForSequenceClassification",
    ),
)
