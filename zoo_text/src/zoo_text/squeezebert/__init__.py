"""SqueezeBERT (https://arxiv.org/abs/2006.11316)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="squeezebert",
    config="zoo_text.squeezebert.config:SqueezeBertConfig",
    models=classes(
        "zoo_text.squeezebert.model",
        AutoModel="SqueezeBertModel",
        AutoModelForTextEncoding="SqueezeBertModel",
        AutoModelForPreTraining="SqueezeBertForMaskedLM",
        AutoModelForMaskedLM="SqueezeBertForMaskedLM",
        AutoModelWithLMHead="SqueezeBertForMaskedLM",
        AutoModelForSequenceClassification="SqueezeBertForSequenceClassification",
        AutoModelForMultipleChoice="SqueezeBertForMultipleChoice",
        AutoModelForTokenClassification="SqueezeBertForTokenClassification",
        AutoModelForQuestionAnswering="SqueezeBertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:SqueezeBertTokenizer",
)
