"""DeBERTa-v2 and v3 (https://arxiv.org/abs/2006.03654, https://arxiv.org/abs/2111.09543)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="deberta-v2",
    config="zoo_text.deberta_v2.config:DebertaV2Config",
    models=classes(
        "zoo_text.deberta_v2.model",
        AutoModelForTextEncoding="DebertaV2Model",
        AutoModel="DebertaV2Model",
        AutoModelForPreTraining="DebertaV2ForMaskedLM",
        AutoModelForMaskedLM="DebertaV2ForMaskedLM",
        AutoModelForSequenceClassification="DebertaV2ForSequenceClassification",
        AutoModelForQuestionAnswering="DebertaV2ForQuestionAnswering",
        AutoModelForTokenClassification="DebertaV2ForTokenClassification",
        AutoModelForMultipleChoice="DebertaV2ForMultipleChoice",
        AutoModelWithLMHead="DebertaV2ForMaskedLM",
    ),
    tokenizer="zoo_text.tokenizers.unigram:DebertaV2Tokenizer",
)
