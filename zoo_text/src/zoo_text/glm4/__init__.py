"""GLM-4-0414 (https://arxiv.org/abs/2406.12793)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="glm4",
    config="zoo_text.glm4.config:Glm4Config",
    models=classes(
        "zoo_text.glm4.model",
        AutoModel="Glm4Model",
        AutoModelForCausalLM="Glm4ForCausalLM",
        AutoModelForSequenceClassification="Glm4ForSequenceClassification",
        AutoModelForTokenClassification="Glm4ForTokenClassification",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
