"""OLMo (https://arxiv.org/abs/2402.00838)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="olmo",
    config="zoo_text.olmo.config:OlmoConfig",
    models=classes(
        "zoo_text.olmo.model",
        AutoModel="OlmoModel",
        AutoModelForCausalLM="OlmoForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
