"""Qwen3-MoE (https://arxiv.org/abs/2505.09388)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen3_moe",
    config="zoo_text.qwen3_moe.config:Qwen3MoeConfig",
    models=classes(
        "zoo_text.qwen3_moe.model",
        AutoModel="Qwen3MoeModel",
        AutoModelForCausalLM="Qwen3MoeForCausalLM",
        AutoModelForSequenceClassification="Qwen3MoeForSequenceClassification",
        AutoModelForTokenClassification="Qwen3MoeForTokenClassification",
        AutoModelForQuestionAnswering="Qwen3MoeForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
)
