"""Apertus (https://arxiv.org/abs/2509.14233)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="apertus",
    config="zoo_text.apertus.config:ApertusConfig",
    models=classes(
        "zoo_text.apertus.model",
        AutoModel="ApertusModel",
        AutoModelForCausalLM="ApertusForCausalLM",
        AutoModelForTokenClassification="ApertusForTokenClassification",
    ),
)
