"""Granite 4 (https://huggingface.co/ibm-granite): Granite MoE with state spaces between attention layers."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="granitemoehybrid",
    config="zoo_text.granitemoehybrid.config:GraniteMoeHybridConfig",
    models=classes(
        "zoo_text.granitemoehybrid.model",
        AutoModel="GraniteMoeHybridModel",
        AutoModelForCausalLM="GraniteMoeHybridForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
