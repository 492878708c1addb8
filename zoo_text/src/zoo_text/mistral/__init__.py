"""Mistral (https://arxiv.org/abs/2310.06825)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mistral",
    config="zoo_text.mistral.config:MistralConfig",
    models=classes(
        "zoo_text.mistral.model",
        AutoModel="MistralModel",
        AutoModelForCausalLM="MistralForCausalLM",
        AutoModelForSequenceClassification="MistralForSequenceClassification",
        AutoModelForTokenClassification="MistralForTokenClassification",
        AutoModelForQuestionAnswering="MistralForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
