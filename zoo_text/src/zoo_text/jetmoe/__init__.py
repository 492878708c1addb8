"""JetMoE (https://arxiv.org/abs/2404.07413)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="jetmoe",
    config="zoo_text.jetmoe.config:JetMoeConfig",
    models=classes(
        "zoo_text.jetmoe.model",
        AutoModel="JetMoeModel",
        AutoModelForCausalLM="JetMoeForCausalLM",
        AutoModelForSequenceClassification="JetMoeForSequenceClassification",
    ),
    tokenizer="zoo_text.tokenizers.llama:LlamaTokenizer",
)
