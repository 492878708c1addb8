"""Command R (Cohere)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="cohere",
    config="zoo_text.cohere.config:CohereConfig",
    models=classes(
        "zoo_text.cohere.model",
        AutoModel="CohereModel",
        AutoModelForCausalLM="CohereForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:CohereTokenizer",
)
