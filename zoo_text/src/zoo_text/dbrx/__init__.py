"""DBRX (Databricks, 2024)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="dbrx",
    config="zoo_text.dbrx.config:DbrxConfig",
    models=classes("zoo_text.dbrx.model", AutoModel="DbrxModel", AutoModelForCausalLM="DbrxForCausalLM"),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
