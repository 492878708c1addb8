"""LayoutLMv3 (https://arxiv.org/abs/2204.08387)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="layoutlmv3",
    config="zoo_multimodal.layoutlmv3.config:LayoutLMv3Config",
    models=classes(
        "zoo_multimodal.layoutlmv3.model",
        AutoModel="LayoutLMv3Model",
        AutoModelForSequenceClassification="LayoutLMv3ForSequenceClassification",
        AutoModelForTokenClassification="LayoutLMv3ForTokenClassification",
        AutoModelForQuestionAnswering="LayoutLMv3ForQuestionAnswering",
        AutoModelForDocumentQuestionAnswering="LayoutLMv3ForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.layout:LayoutLMv3Tokenizer",
    image_processor="zoo_vision.processing.documents:LayoutLMv3ImageProcessor",
    feature_extractor="zoo_vision.processing.documents:LayoutLMv3ImageProcessor",
    processor="zoo_multimodal.layoutlmv3.processor:LayoutLMv3Processor",
)
