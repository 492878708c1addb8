"""Helium."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="helium",
    config="zoo_text.helium.config:HeliumConfig",
    models=classes(
        "zoo_text.helium.model",
        AutoModel="HeliumModel",
        AutoModelForCausalLM="HeliumForCausalLM",
        AutoModelForSequenceClassification="HeliumForSequenceClassification",
        AutoModelForTokenClassification="HeliumForTokenClassification",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
