"""Phi-3.5-MoE (https://arxiv.org/abs/2409.12136)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="phimoe",
    config="zoo_text.phimoe.config:PhimoeConfig",
    models=classes(
        "zoo_text.phimoe.model",
        AutoModel="PhimoeModel",
        AutoModelForCausalLM="PhimoeForCausalLM",
        AutoModelForSequenceClassification="PhimoeForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
