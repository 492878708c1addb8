"""MiniMax-Text-01 (https://arxiv.org/abs/2501.08313)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="minimax",
    config="zoo_text.minimax.config:MiniMaxConfig",
    models=classes(
        "zoo_text.minimax.model",
        AutoModel="MiniMaxModel",
        AutoModelForCausalLM="MiniMaxForCausalLM",
        AutoModelForSequenceClassification="MiniMaxForSequenceClassification",
        AutoModelForTokenClassification="MiniMaxForTokenClassification",
        AutoModelForQuestionAnswering="MiniMaxForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
