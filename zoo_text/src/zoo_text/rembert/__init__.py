"""RemBERT (https://arxiv.org/abs/2010.12821)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="rembert",
    config="zoo_text.rembert.config:RemBertConfig",
    models=classes(
        "zoo_text.rembert.model",
        AutoModel="RemBertModel",
        AutoModelForTextEncoding="RemBertModel",
        AutoModelForMaskedLM="RemBertForMaskedLM",
        AutoModelWithLMHead="RemBertForMaskedLM",
        AutoModelForCausalLM="RemBertForCausalLM",
        AutoModelForSequenceClassification="RemBertForSequenceClassification",
        AutoModelForMultipleChoice="RemBertForMultipleChoice",
        AutoModelForTokenClassification="RemBertForTokenClassification",
        AutoModelForQuestionAnswering="RemBertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.unigram:RemBertTokenizer",
)
