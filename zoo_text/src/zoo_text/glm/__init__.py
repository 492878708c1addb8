"""GLM (https://arxiv.org/abs/2406.12793)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="glm",
    config="zoo_text.glm.config:GlmConfig",
    models=classes(
        "zoo_text.glm.model",
        AutoModel="GlmModel",
        AutoModelForCausalLM="GlmForCausalLM",
        AutoModelForSequenceClassification="GlmForSequenceClassification",
        AutoModelForTokenClassification="GlmForTokenClassification",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
