"""Blenderbot small, of 90M parameters (https://arxiv.org/abs/2004.13637)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="blenderbot-small",
    config="zoo_text.blenderbot_small.config:BlenderbotSmallConfig",
    models=classes(
        "zoo_text.blenderbot_small.model",
        AutoModel="BlenderbotSmallModel",
        AutoModelForCausalLM="BlenderbotSmallForCausalLM",
        AutoModelForSeq2SeqLM="BlenderbotSmallForConditionalGeneration",
        AutoModelWithLMHead="BlenderbotSmallForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.small:BlenderbotSmallTokenizer",
)
