"""The language model of Aria (https://arxiv.org/abs/2410.05993)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="aria_text",
    config="zoo_text.aria_text.config:AriaTextConfig",
    models=classes(
        "zoo_text.aria_text.model",
        AutoModel="AriaTextModel",
        AutoModelForCausalLM="AriaTextForCausalLM",
    ),
)
