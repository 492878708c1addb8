"""ALBERT (https://arxiv.org/abs/1909.11942)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="albert",
    config="zoo_text.albert.config:AlbertConfig",
    models=classes(
        "zoo_text.albert.model",
        AutoModel="AlbertModel",
        AutoModelForTextEncoding="AlbertModel",
        AutoModelForPreTraining="AlbertForPreTraining",
        AutoModelForMaskedLM="AlbertForMaskedLM",
        AutoModelWithLMHead="AlbertForMaskedLM",
        AutoModelForSequenceClassification="AlbertForSequenceClassification",
        AutoModelForMultipleChoice="AlbertForMultipleChoice",
        AutoModelForTokenClassification="AlbertForTokenClassification",
        AutoModelForQuestionAnswering="AlbertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:AlbertTokenizer",
)
