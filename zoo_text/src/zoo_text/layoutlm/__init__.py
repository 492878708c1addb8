"""LayoutLM (https://arxiv.org/abs/1912.13318)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="layoutlm",
    config="zoo_text.layoutlm.config:LayoutLMConfig",
    models=classes(
        "zoo_text.layoutlm.model",
        AutoModel="LayoutLMModel",
        AutoModelForPreTraining="LayoutLMForMaskedLM",
        AutoModelForMaskedLM="LayoutLMForMaskedLM",
        AutoModelWithLMHead="LayoutLMForMaskedLM",
        AutoModelForSequenceClassification="LayoutLMForSequenceClassification",
        AutoModelForTokenClassification="LayoutLMForTokenClassification",
        AutoModelForDocumentQuestionAnswering="LayoutLMForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:LayoutLMTokenizer",
)
