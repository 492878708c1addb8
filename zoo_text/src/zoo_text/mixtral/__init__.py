"""Mixtral (https://arxiv.org/abs/2401.04088)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mixtral",
    config="zoo_text.mixtral.config:MixtralConfig",
    models=classes(
        "zoo_text.mixtral.model",
        AutoModel="MixtralModel",
        AutoModelForCausalLM="MixtralForCausalLM",
        AutoModelForSequenceClassification="MixtralForSequenceClassification",
        AutoModelForTokenClassification="MixtralForTokenClassification",
        AutoModelForQuestionAnswering="MixtralForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
