"""RoBERTa (https://arxiv.org/abs/1907.11692)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="roberta",
    config="zoo_text.roberta.config:RobertaConfig",
    models=classes(
        "zoo_text.roberta.model",
        AutoModel="RobertaModel",
        AutoModelForTextEncoding="RobertaModel",
        AutoModelForPreTraining="RobertaForMaskedLM",
        AutoModelForMaskedLM="RobertaForMaskedLM",
        AutoModelWithLMHead="RobertaForMaskedLM",
        AutoModelForCausalLM="RobertaForCausalLM",
        AutoModelForSequenceClassification="RobertaForSequenceClassification",
        AutoModelForMultipleChoice="RobertaForMultipleChoice",
        AutoModelForTokenClassification="RobertaForTokenClassification",
        AutoModelForQuestionAnswering="RobertaForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:RobertaTokenizer",
)
