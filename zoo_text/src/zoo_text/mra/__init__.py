"""MRA (https://arxiv.org/abs/2207.10284)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mra",
    config="zoo_text.mra.config:MraConfig",
    models=classes(
        "zoo_text.mra.model",
        AutoModel="MraModel",
        AutoModelForPreTraining="MraForMaskedLM",
        AutoModelForMaskedLM="MraForMaskedLM",
        AutoModelWithLMHead="MraForMaskedLM",
        AutoModelForSequenceClassification="MraForSequenceClassification",
        AutoModelForMultipleChoice="MraForMultipleChoice",
        AutoModelForTokenClassification="MraForTokenClassification",
        AutoModelForQuestionAnswering="MraForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:RobertaTokenizer",
)
