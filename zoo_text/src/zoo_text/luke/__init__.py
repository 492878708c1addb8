"""LUKE (https://arxiv.org/abs/2010.01057)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="luke",
    config="zoo_text.luke.config:LukeConfig",
    models=classes(
        "zoo_text.luke.model",
        AutoModel="LukeModel",
        AutoModelForPreTraining="LukeForMaskedLM",
        AutoModelForMaskedLM="LukeForMaskedLM",
        AutoModelWithLMHead="LukeForMaskedLM",
        AutoModelForSequenceClassification="LukeForSequenceClassification",
        AutoModelForMultipleChoice="LukeForMultipleChoice",
        AutoModelForTokenClassification="LukeForTokenClassification",
        AutoModelForQuestionAnswering="LukeForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.entities:LukeTokenizer",
)
