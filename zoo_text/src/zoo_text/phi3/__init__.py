"""Phi-3 and Phi-4 (https://arxiv.org/abs/2404.14219)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="phi3",
    config="zoo_text.phi3.config:Phi3Config",
    models=classes(
        "zoo_text.phi3.model",
        AutoModel="Phi3Model",
        AutoModelForCausalLM="Phi3ForCausalLM",
        AutoModelForSequenceClassification="Phi3ForSequenceClassification",
        AutoModelForTokenClassification="Phi3ForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
