"""BROS (https://arxiv.org/abs/2108.04539)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="bros",
    config="zoo_text.bros.config:BrosConfig",
    models=classes(
        "zoo_text.bros.model",
        AutoModel="BrosModel",
        AutoModelForTokenClassification=(
            "BrosForTokenClassification",
            "BrosSpadeEEForTokenClassification",
            "BrosSpadeELForTokenClassification",
        ),
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
)
