"""LiLT (https://arxiv.org/abs/2202.13669)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="lilt",
    config="zoo_text.lilt.config:LiltConfig",
    models=classes(
        "zoo_text.lilt.model",
        AutoModel="LiltModel",
        AutoModelForSequenceClassification="LiltForSequenceClassification",
        AutoModelForTokenClassification="LiltForTokenClassification",
        AutoModelForQuestionAnswering="LiltForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.layout:LayoutLMv3Tokenizer",
)
