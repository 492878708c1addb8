"""Longformer (https://arxiv.org/abs/2004.05150)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="longformer",
    config="zoo_text.longformer.config:LongformerConfig",
    models=classes(
        "zoo_text.longformer.model",
        AutoModel="LongformerModel",
        AutoModelForTextEncoding="LongformerModel",
        AutoModelForPreTraining="LongformerForMaskedLM",
        AutoModelForMaskedLM="LongformerForMaskedLM",
        AutoModelWithLMHead="LongformerForMaskedLM",
        AutoModelForSequenceClassification="LongformerForSequenceClassification",
        AutoModelForMultipleChoice="LongformerForMultipleChoice",
        AutoModelForTokenClassification="LongformerForTokenClassification",
        AutoModelForQuestionAnswering="LongformerForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:LongformerTokenizer",
)
