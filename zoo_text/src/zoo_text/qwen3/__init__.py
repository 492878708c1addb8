"""Qwen3 (https://arxiv.org/abs/2505.09388)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen3",
    config="zoo_text.qwen3.config:Qwen3Config",
    models=classes(
        "zoo_text.qwen3.model",
        AutoModel="Qwen3Model",
        AutoModelForCausalLM="Qwen3ForCausalLM",
        AutoModelForSequenceClassification="Qwen3ForSequenceClassification",
        AutoModelForTokenClassification="Qwen3ForTokenClassification",
        AutoModelForQuestionAnswering="Qwen3ForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
)
