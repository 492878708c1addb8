"""ESM-1b and ESM-2, language models of proteins (https://doi.org/10.1126/science.ade2574)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="esm",
    config="zoo_text.esm.config:EsmConfig",
    models=classes(
        "zoo_text.esm.model",
        AutoModel="EsmModel",
        AutoModelForMaskedLM="EsmForMaskedLM",
        AutoModelWithLMHead="EsmForMaskedLM",
        AutoModelForSequenceClassification="EsmForSequenceClassification",
        AutoModelForTokenClassification="EsmForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.small:EsmTokenizer",
)
