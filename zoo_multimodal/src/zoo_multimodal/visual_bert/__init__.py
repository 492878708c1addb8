"""VisualBERT (https://arxiv.org/abs/1908.03557): a BERT that reads a text and the regions of an image."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="visual_bert",
    config="zoo_multimodal.visual_bert.config:VisualBertConfig",
    models=classes(
        "zoo_multimodal.visual_bert.model",
        AutoModel="VisualBertModel",
        AutoModelForPreTraining="VisualBertForPreTraining",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
)
