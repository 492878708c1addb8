"""FlexOlmo (https://arxiv.org/abs/2507.07024)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="flex_olmo",
    config="zoo_text.flex_olmo.config:FlexOlmoConfig",
    models=classes(
        "zoo_text.flex_olmo.model",
        AutoModel="FlexOlmoModel",
        AutoModelForCausalLM="FlexOlmoForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
