"""Gemma (https://arxiv.org/abs/2403.08295)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gemma",
    config="zoo_text.gemma.config:GemmaConfig",
    models=classes(
        "zoo_text.gemma.model",
        AutoModel="GemmaModel",
        AutoModelForCausalLM="GemmaForCausalLM",
        AutoModelForSequenceClassification="GemmaForSequenceClassification",
        AutoModelForTokenClassification="GemmaForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:GemmaTokenizer",
)
