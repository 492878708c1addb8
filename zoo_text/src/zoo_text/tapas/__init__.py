"""TAPAS (https://arxiv.org/abs/2004.02349)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="tapas",
    config="zoo_text.tapas.config:TapasConfig",
    models=classes(
        "zoo_text.tapas.model",
        AutoModel="TapasModel",
        AutoModelForPreTraining="TapasForMaskedLM",
        AutoModelForMaskedLM="TapasForMaskedLM",
        AutoModelWithLMHead="TapasForMaskedLM",
        AutoModelForSequenceClassification="TapasForSequenceClassification",
        AutoModelForTableQuestionAnswering="TapasForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.tapas:TapasTokenizer",
)
