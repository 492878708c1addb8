"""Blenderbot (https://arxiv.org/abs/2004.13637)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="blenderbot",
    config="zoo_text.blenderbot.config:BlenderbotConfig",
    models=classes(
        "zoo_text.blenderbot.model",
        AutoModel="BlenderbotModel",
        AutoModelForCausalLM="BlenderbotForCausalLM",
        AutoModelForSeq2SeqLM="BlenderbotForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:BlenderbotTokenizer",
)
