"""Zamba (https://arxiv.org/abs/2405.16712)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="zamba",
    config="zoo_text.zamba.config:ZambaConfig",
    models=classes(
        "zoo_text.zamba.model",
        AutoModel="ZambaModel",
        AutoModelForCausalLM="ZambaForCausalLM",
        AutoModelForSequenceClassification="ZambaForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
