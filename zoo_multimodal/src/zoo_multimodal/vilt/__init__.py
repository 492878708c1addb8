"""ViLT (https://arxiv.org/abs/2102.03334): one encoder for a text and the patches of its image."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vilt",
    config="zoo_multimodal.vilt.config:ViltConfig",
    models=classes(
        "zoo_multimodal.vilt.model",
        AutoModel="ViltModel",
        AutoModelForVisualQuestionAnswering="ViltForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
    image_processor="zoo_vision.processing.padded:ViltImageProcessor",
    feature_extractor="zoo_vision.processing.padded:ViltImageProcessor",
    processor="zoo_multimodal.vilt.processor:ViltProcessor",
)
