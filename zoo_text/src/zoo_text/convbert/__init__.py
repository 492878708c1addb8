"""ConvBERT (https://arxiv.org/abs/2008.02496)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="convbert",
    config="zoo_text.convbert.config:ConvBertConfig",
    models=classes(
        "zoo_text.convbert.model",
        AutoModel="ConvBertModel",
        AutoModelForMaskedLM="ConvBertForMaskedLM",
        AutoModelWithLMHead="ConvBertForMaskedLM",
        AutoModelForSequenceClassification="ConvBertForSequenceClassification",
        AutoModelForMultipleChoice="ConvBertForMultipleChoice",
        AutoModelForTokenClassification="ConvBertForTokenClassification",
        AutoModelForQuestionAnswering="ConvBertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:ConvBertTokenizer",
)
