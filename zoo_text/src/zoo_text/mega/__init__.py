"""Mega (https://arxiv.org/abs/2209.10655)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mega",
    config="zoo_text.mega.config:MegaConfig",
    models=classes(
        "zoo_text.mega.model",
        AutoModel="MegaModel",
        AutoModelForPreTraining="MegaForMaskedLM",
        AutoModelForMaskedLM="MegaForMaskedLM",
        AutoModelWithLMHead="MegaForMaskedLM",
        AutoModelForCausalLM="MegaForCausalLM",
        AutoModelForSequenceClassification="MegaForSequenceClassification",
        AutoModelForMultipleChoice="MegaForMultipleChoice",
        AutoModelForTokenClassification="MegaForTokenClassification",
        AutoModelForQuestionAnswering="MegaForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:RobertaTokenizer",
)
