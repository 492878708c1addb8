"""Falcon (https://arxiv.org/abs/2311.16867)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="falcon",
    config="zoo_text.falcon.config:FalconConfig",
    models=classes(
        "zoo_text.falcon.model",
        AutoModel="FalconModel",
        AutoModelForCausalLM="FalconForCausalLM",
        AutoModelForSequenceClassification="FalconForSequenceClassification",
        AutoModelForTokenClassification="FalconForTokenClassification",
        AutoModelForQuestionAnswering="FalconForQuestionAnswering",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
