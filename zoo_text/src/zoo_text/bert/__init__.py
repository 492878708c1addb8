"""BERT (https://arxiv.org/abs/1810.04805)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="bert",
    config="zoo_text.bert.config:BertConfig",
    models=classes(
        "zoo_text.bert.model",
        AutoModel="BertModel",
        AutoModelForTextEncoding="BertModel",
        AutoModelForPreTraining="BertForPreTraining",
        AutoModelForMaskedLM="BertForMaskedLM",
        AutoModelWithLMHead="BertForMaskedLM",
        AutoModelForCausalLM="BertLMHeadModel",
        AutoModelForNextSentencePrediction="BertForNextSentencePrediction",
        AutoModelForSequenceClassification="BertForSequenceClassification",
        AutoModelForMultipleChoice="BertForMultipleChoice",
        AutoModelForTokenClassification="BertForTokenClassification",
        AutoModelForQuestionAnswering="BertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
)
