"""Qwen2-MoE (https://arxiv.org/abs/2407.10671)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen2_moe",
    config="zoo_text.qwen2_moe.config:Qwen2MoeConfig",
    models=classes(
        "zoo_text.qwen2_moe.model",
        AutoModel="Qwen2MoeModel",
        AutoModelForCausalLM="Qwen2MoeForCausalLM",
        AutoModelForSequenceClassification="Qwen2MoeForSequenceClassification",
        AutoModelForTokenClassification="Qwen2MoeForTokenClassification",
        AutoModelForQuestionAnswering="Qwen2MoeForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
)
