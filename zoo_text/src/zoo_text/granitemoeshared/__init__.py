"""Granite MoE with shared experts."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="granitemoeshared",
    config="zoo_text.granitemoeshared.config:GraniteMoeSharedConfig",
    models=classes(
        "zoo_text.granitemoeshared.model",
        AutoModel="GraniteMoeSharedModel",
        AutoModelForCausalLM="GraniteMoeSharedForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
