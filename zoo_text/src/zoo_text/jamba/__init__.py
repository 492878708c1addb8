"""Jamba (https://arxiv.org/abs/2403.19887)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="jamba",
    config="zoo_text.jamba.config:JambaConfig",
    models=classes(
        "zoo_text.jamba.model",
        AutoModel="JambaModel",
        AutoModelForCausalLM="JambaForCausalLM",
        AutoModelForSequenceClassification="JambaForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
