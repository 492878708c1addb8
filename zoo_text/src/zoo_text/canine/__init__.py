"""CANINE (https://arxiv.org/abs/2103.06874)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="canine",
    config="zoo_text.canine.config:CanineConfig",
    models=classes(
        "zoo_text.canine.model",
        AutoModel="CanineModel",
        AutoModelForSequenceClassification="CanineForSequenceClassification",
        AutoModelForMultipleChoice="CanineForMultipleChoice",
        AutoModelForTokenClassification="CanineForTokenClassification",
        AutoModelForQuestionAnswering="CanineForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.bytes:CanineTokenizer",
)
