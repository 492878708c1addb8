"""DeBERTa (https://arxiv.org/abs/2006.03654)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="deberta",
    config="zoo_text.deberta.config:DebertaConfig",
    models=classes(
        "zoo_text.deberta.model",
        AutoModelForTextEncoding="DebertaModel",
        AutoModel="DebertaModel",
        AutoModelForPreTraining="DebertaForMaskedLM",
        AutoModelForMaskedLM="DebertaForMaskedLM",
        AutoModelForSequenceClassification="DebertaForSequenceClassification",
        AutoModelForQuestionAnswering="DebertaForQuestionAnswering",
        AutoModelForTokenClassification="DebertaForTokenClassification",
        AutoModelWithLMHead="DebertaForMaskedLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:DebertaTokenizer",
)
