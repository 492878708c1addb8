"""Ministral."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="ministral",
    config="zoo_text.ministral.config:MinistralConfig",
    models=classes(
        "zoo_text.ministral.model",
        AutoModel="MinistralModel",
        AutoModelForCausalLM="MinistralForCausalLM",
        AutoModelForSequenceClassification="MinistralForSequenceClassification",
        AutoModelForTokenClassification="MinistralForTokenClassification",
        AutoModelForQuestionAnswering="MinistralForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
