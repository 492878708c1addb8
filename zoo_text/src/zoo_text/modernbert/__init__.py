"""ModernBERT (https://arxiv.org/abs/2412.13663)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="modernbert",
    config="zoo_text.modernbert.config:ModernBertConfig",
    models=classes(
        "zoo_text.modernbert.model",
        AutoModel="ModernBertModel",
        AutoModelForMaskedLM="ModernBertForMaskedLM",
        AutoModelForSequenceClassification="ModernBertForSequenceClassification",
        AutoModelForQuestionAnswering="ModernBertForQuestionAnswering",
        AutoModelForTokenClassification="ModernBertForTokenClassification",
        AutoModelForMultipleChoice="ModernBertForMultipleChoice",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
