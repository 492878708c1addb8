"""EXAONE 4.0 (https://arxiv.org/abs/2507.11407)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="exaone4",
    config="zoo_text.exaone4.config:Exaone4Config",
    models=classes(
        "zoo_text.exaone4.model",
        AutoModel="Exaone4Model",
        AutoModelForPreTraining="Exaone4ForCausalLM",
        AutoModelForCausalLM="Exaone4ForCausalLM",
        AutoModelForSequenceClassification="Exaone4ForSequenceClassification",
        AutoModelForQuestionAnswering="Exaone4ForQuestionAnswering",
        AutoModelForTokenClassification="Exaone4ForTokenClassification",
        AutoModelWithLMHead="Exaone4ForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
