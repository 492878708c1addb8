"""Funnel Transformer (https://arxiv.org/abs/2006.03236)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="funnel",
    config="zoo_text.funnel.config:FunnelConfig",
    models=classes(
        "zoo_text.funnel.model",
        AutoModel=("FunnelModel", "FunnelBaseModel"),
        AutoModelForPreTraining="FunnelForPreTraining",
        AutoModelForMaskedLM="FunnelForMaskedLM",
        AutoModelWithLMHead="FunnelForMaskedLM",
        AutoModelForSequenceClassification="FunnelForSequenceClassification",
        AutoModelForMultipleChoice="FunnelForMultipleChoice",
        AutoModelForTokenClassification="FunnelForTokenClassification",
        AutoModelForQuestionAnswering="FunnelForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:FunnelTokenizer",
)
