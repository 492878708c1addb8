"""Nemotron (https://arxiv.org/abs/2402.16819)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="nemotron",
    config="zoo_text.nemotron.config:NemotronConfig",
    models=classes(
        "zoo_text.nemotron.model",
        AutoModel="NemotronModel",
        AutoModelForCausalLM="NemotronForCausalLM",
        AutoModelForSequenceClassification="NemotronForSequenceClassification",
        AutoModelForTokenClassification="NemotronForTokenClassification",
        AutoModelForQuestionAnswering="NemotronForQuestionAnswering",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
