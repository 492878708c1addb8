"""QDQBERT (https://arxiv.org/abs/2004.09602)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="qdqbert",
    config="zoo_text.qdqbert.config:QDQBertConfig",
    models=classes(
        "zoo_text.qdqbert.model",
        AutoModel="QDQBertModel",
        AutoModelForMaskedLM="QDQBertForMaskedLM",
        AutoModelWithLMHead="QDQBertForMaskedLM",
        AutoModelForCausalLM="QDQBertLMHeadModel",
        AutoModelForNextSentencePrediction="QDQBertForNextSentencePrediction",
        AutoModelForSequenceClassification="QDQBertForSequenceClassification",
        AutoModelForMultipleChoice="QDQBertForMultipleChoice",
        AutoModelForTokenClassification="QDQBertForTokenClassification",
        AutoModelForQuestionAnswering="QDQBertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
)
