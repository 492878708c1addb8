"""NEZHA (https://arxiv.org/abs/1909.00204)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="nezha",
    config="zoo_text.nezha.config:NezhaConfig",
    models=classes(
        "zoo_text.nezha.model",
        AutoModel="NezhaModel",
        AutoModelForPreTraining="NezhaForPreTraining",
        AutoModelForMaskedLM="NezhaForMaskedLM",
        AutoModelWithLMHead="NezhaForMaskedLM",
        AutoModelForNextSentencePrediction="NezhaForNextSentencePrediction",
        AutoModelForSequenceClassification="NezhaForSequenceClassification",
        AutoModelForMultipleChoice="NezhaForMultipleChoice",
        AutoModelForTokenClassification="NezhaForTokenClassification",
        AutoModelForQuestionAnswering="NezhaForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
)
