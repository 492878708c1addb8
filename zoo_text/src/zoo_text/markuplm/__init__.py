"""MarkupLM (https://arxiv.org/abs/2110.08518)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="markuplm",
    config="zoo_text.markuplm.config:MarkupLMConfig",
    models=classes(
        "zoo_text.markuplm.model",
        AutoModel="MarkupLMModel",
        AutoModelForSequenceClassification="MarkupLMForSequenceClassification",
        AutoModelForTokenClassification="MarkupLMForTokenClassification",
        AutoModelForQuestionAnswering="MarkupLMForQuestionAnswering",
    ),
    tokenizer="zoo_text.markuplm.tokenizer:MarkupLMTokenizer",
    feature_extractor="zoo_text.markuplm.processor:MarkupLMFeatureExtractor",
    processor="zoo_text.markuplm.processor:MarkupLMProcessor",
)
