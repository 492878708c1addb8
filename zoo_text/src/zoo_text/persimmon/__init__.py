"""Persimmon (https://www.adept.ai/blog/persimmon-8b)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="persimmon",
    config="zoo_text.persimmon.config:PersimmonConfig",
    models=classes(
        "zoo_text.persimmon.model",
        AutoModel="PersimmonModel",
        AutoModelForCausalLM="PersimmonForCausalLM",
        AutoModelForSequenceClassification="PersimmonForSequenceClassification",
        AutoModelForTokenClassification="PersimmonForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
