"""Qwen2 (https://arxiv.org/abs/2407.10671)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qwen2",
    config="zoo_text.qwen2.config:Qwen2Config",
    models=classes(
        "zoo_text.qwen2.model",
        AutoModel="Qwen2Model",
        AutoModelForCausalLM="Qwen2ForCausalLM",
        AutoModelForSequenceClassification="Qwen2ForSequenceClassification",
        AutoModelForTokenClassification="Qwen2ForTokenClassification",
        AutoModelForQuestionAnswering="Qwen2ForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
)
