"""OLMo 3 (https://allenai.org/blog/olmo3)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="olmo3",
    config="zoo_text.olmo3.config:Olmo3Config",
    models=classes(
        "zoo_text.olmo3.model",
        AutoModel="Olmo3Model",
        AutoModelForCausalLM="Olmo3ForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
