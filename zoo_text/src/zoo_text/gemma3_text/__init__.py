"""The language model of Gemma 3 (https://arxiv.org/abs/2503.19786)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gemma3_text",
    config="zoo_text.gemma3_text.config:Gemma3TextConfig",
    models=classes(
        "zoo_text.gemma3_text.model",
        AutoModel="Gemma3TextModel",
        AutoModelForCausalLM="Gemma3ForCausalLM",
        AutoModelForSequenceClassification="Gemma3TextForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:GemmaTokenizer",
)
