"""ERNIE 1 to 3 (https://arxiv.org/abs/1904.09223)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="ernie",
    config="zoo_text.ernie.config:ErnieConfig",
    models=classes(
        "zoo_text.ernie.model",
        AutoModel="ErnieModel",
        AutoModelForPreTraining="ErnieForPreTraining",
        AutoModelForCausalLM="ErnieForCausalLM",
        AutoModelForMaskedLM="ErnieForMaskedLM",
        AutoModelForSequenceClassification="ErnieForSequenceClassification",
        AutoModelForQuestionAnswering="ErnieForQuestionAnswering",
        AutoModelForTokenClassification="ErnieForTokenClassification",
        AutoModelForMultipleChoice="ErnieForMultipleChoice",
        AutoModelForNextSentencePrediction="ErnieForNextSentencePrediction",
        AutoModelWithLMHead="ErnieForMaskedLM",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
)
