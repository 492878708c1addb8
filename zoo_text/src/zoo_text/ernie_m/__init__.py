"""ERNIE-M (https://arxiv.org/abs/2012.15674)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="ernie_m",
    config="zoo_text.ernie_m.config:ErnieMConfig",
    models=classes(
        "zoo_text.ernie_m.model",
        AutoModel="ErnieMModel",
        AutoModelForSequenceClassification="ErnieMForSequenceClassification",
        AutoModelForMultipleChoice="ErnieMForMultipleChoice",
        AutoModelForTokenClassification="ErnieMForTokenClassification",
        AutoModelForQuestionAnswering="ErnieMForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.ernie_m:ErnieMTokenizer",
)
