"""Granite 3 MoE (https://arxiv.org/abs/2408.13359)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="granitemoe",
    config="zoo_text.granitemoe.config:GraniteMoeConfig",
    models=classes(
        "zoo_text.granitemoe.model",
        AutoModel="GraniteMoeModel",
        AutoModelForCausalLM="GraniteMoeForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
