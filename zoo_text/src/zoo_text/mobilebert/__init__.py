"""MobileBERT (https://arxiv.org/abs/2004.02984)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mobilebert",
    config="zoo_text.mobilebert.config:MobileBertConfig",
    models=classes(
        "zoo_text.mobilebert.model",
        AutoModel="MobileBertModel",
        AutoModelForTextEncoding="MobileBertModel",
        AutoModelForPreTraining="MobileBertForPreTraining",
        AutoModelForMaskedLM="MobileBertForMaskedLM",
        AutoModelWithLMHead="MobileBertForMaskedLM",
        AutoModelForNextSentencePrediction="MobileBertForNextSentencePrediction",
        AutoModelForSequenceClassification="MobileBertForSequenceClassification",
        AutoModelForMultipleChoice="MobileBertForMultipleChoice",
        AutoModelForTokenClassification="MobileBertForTokenClassification",
        AutoModelForQuestionAnswering="MobileBertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:MobileBertTokenizer",
)
