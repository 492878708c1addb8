"""DistilBERT (https://arxiv.org/abs/1910.01108)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="distilbert",
    config="zoo_text.distilbert.config:DistilBertConfig",
    models=classes(
        "zoo_text.distilbert.model",
        AutoModel="DistilBertModel",
        AutoModelForTextEncoding="DistilBertModel",
        AutoModelForPreTraining="DistilBertForMaskedLM",
        AutoModelForMaskedLM="DistilBertForMaskedLM",
        AutoModelWithLMHead="DistilBertForMaskedLM",
        AutoModelForSequenceClassification="DistilBertForSequenceClassification",
        AutoModelForMultipleChoice="DistilBertForMultipleChoice",
        AutoModelForTokenClassification="DistilBertForTokenClassification",
        AutoModelForQuestionAnswering="DistilBertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:DistilBertTokenizer",
)
