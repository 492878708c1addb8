"""Llama (https://arxiv.org/abs/2302.13971, https://arxiv.org/abs/2307.09288)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="llama",
    config="zoo_text.llama.config:LlamaConfig",
    models=classes(
        "zoo_text.llama.model",
        AutoModel="LlamaModel",
        AutoModelForCausalLM="LlamaForCausalLM",
        AutoModelForSequenceClassification="LlamaForSequenceClassification",
        AutoModelForTokenClassification="LlamaForTokenClassification",
        AutoModelForQuestionAnswering="LlamaForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
