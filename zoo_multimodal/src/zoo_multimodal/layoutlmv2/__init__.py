"""LayoutLMv2 (https://arxiv.org/abs/2012.14740) and LayoutXLM (https://arxiv.org/abs/2104.08836)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="layoutlmv2",
    config="zoo_multimodal.layoutlmv2.config:LayoutLMv2Config",
    models=classes(
        "zoo_multimodal.layoutlmv2.model",
        AutoModel="LayoutLMv2Model",
        AutoModelForSequenceClassification="LayoutLMv2ForSequenceClassification",
        AutoModelForTokenClassification="LayoutLMv2ForTokenClassification",
        AutoModelForQuestionAnswering="LayoutLMv2ForQuestionAnswering",
        AutoModelForDocumentQuestionAnswering="LayoutLMv2ForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.layout:LayoutLMv2Tokenizer",
    image_processor="zoo_vision.processing.documents:LayoutLMv2ImageProcessor",
    feature_extractor="zoo_vision.processing.documents:LayoutLMv2ImageProcessor",
    processor="zoo_multimodal.layoutlmv2.processor:LayoutLMv2Processor",
)
