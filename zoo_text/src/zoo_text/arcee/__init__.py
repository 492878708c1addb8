"""Arcee's AFM."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="arcee",
    config="zoo_text.arcee.config:ArceeConfig",
    models=classes(
        "zoo_text.arcee.model",
        AutoModel="ArceeModel",
        AutoModelForCausalLM="ArceeForCausalLM",
        AutoModelForSequenceClassification="ArceeForSequenceClassification",
        AutoModelForQuestionAnswering="ArceeForQuestionAnswering",
        AutoModelForTokenClassification="ArceeForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
