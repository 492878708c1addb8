"""GPT-J (Wang and Komatsuzaki, 2021)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gptj",
    config="zoo_text.gptj.config:GPTJConfig",
    models=classes(
        "zoo_text.gptj.model",
        AutoModel="GPTJModel",
        AutoModelForCausalLM="GPTJForCausalLM",
        AutoModelWithLMHead="GPTJForCausalLM",
        AutoModelForSequenceClassification="GPTJForSequenceClassification",
        AutoModelForQuestionAnswering="GPTJForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
