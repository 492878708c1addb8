"""Qwen3-Next (https://qwenlm.github.io/blog/qwen3_next)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen3_next",
    config="zoo_text.qwen3_next.config:Qwen3NextConfig",
    models=classes(
        "zoo_text.qwen3_next.model",
        AutoModel="Qwen3NextModel",
        AutoModelForCausalLM="Qwen3NextForCausalLM",
        AutoModelForSequenceClassification="Qwen3NextForSequenceClassification",
        AutoModelForTokenClassification="Qwen3NextForTokenClassification",
        AutoModelForQuestionAnswering="Qwen3NextForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
)
