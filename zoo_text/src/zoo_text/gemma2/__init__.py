"""Gemma 2 (https://arxiv.org/abs/2408.00118)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gemma2",
    config="zoo_text.gemma2.config:Gemma2Config",
    models=classes(
        "zoo_text.gemma2.model",
        AutoModel="Gemma2Model",
        AutoModelForCausalLM="Gemma2ForCausalLM",
        AutoModelForSequenceClassification="Gemma2ForSequenceClassification",
        AutoModelForTokenClassification="Gemma2ForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:GemmaTokenizer",
)
