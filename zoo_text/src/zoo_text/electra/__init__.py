"""ELECTRA (https://arxiv.org/abs/2003.10555)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="electra",
    config="zoo_text.electra.config:ElectraConfig",
    models=classes(
        "zoo_text.electra.model",
        AutoModel="ElectraModel",
        AutoModelForTextEncoding="ElectraModel",
        AutoModelForPreTraining="ElectraForPreTraining",
        AutoModelForMaskedLM="ElectraForMaskedLM",
        AutoModelWithLMHead="ElectraForMaskedLM",
        AutoModelForCausalLM="ElectraForCausalLM",
        AutoModelForSequenceClassification="ElectraForSequenceClassification",
        AutoModelForMultipleChoice="ElectraForMultipleChoice",
        AutoModelForTokenClassification="ElectraForTokenClassification",
        AutoModelForQuestionAnswering="ElectraForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:ElectraTokenizer",
)
