"""Granite 3 (https://arxiv.org/abs/2408.13359)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="granite",
    config="zoo_text.granite.config:GraniteConfig",
    models=classes(
        "zoo_text.granite.model",
        AutoModel="GraniteModel",
        AutoModelForCausalLM="GraniteForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
