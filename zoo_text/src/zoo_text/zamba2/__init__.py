"""Zamba2 (https://arxiv.org/abs/2411.15242)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="zamba2",
    config="zoo_text.zamba2.config:Zamba2Config",
    models=classes(
        "zoo_text.zamba2.model",
        AutoModel="Zamba2Model",
        AutoModelForCausalLM="Zamba2ForCausalLM",
        AutoModelForSequenceClassification="Zamba2ForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
