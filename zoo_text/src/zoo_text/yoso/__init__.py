"""YOSO (https://arxiv.org/abs/2111.09714)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="yoso",
    config="zoo_text.yoso.config:YosoConfig",
    models=classes(
        "zoo_text.yoso.model",
        AutoModel="YosoModel",
        AutoModelForMaskedLM="YosoForMaskedLM",
        AutoModelWithLMHead="YosoForMaskedLM",
        AutoModelForSequenceClassification="YosoForSequenceClassification",
        AutoModelForMultipleChoice="YosoForMultipleChoice",
        AutoModelForTokenClassification="YosoForTokenClassification",
        AutoModelForQuestionAnswering="YosoForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:AlbertTokenizer",
)
