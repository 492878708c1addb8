"""GPT-Neo (Black et al., 2021)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gpt_neo",
    config="zoo_text.gpt_neo.config:GPTNeoConfig",
    models=classes(
        "zoo_text.gpt_neo.model",
        AutoModel="GPTNeoModel",
        AutoModelForCausalLM="GPTNeoForCausalLM",
        AutoModelWithLMHead="GPTNeoForCausalLM",
        AutoModelForSequenceClassification="GPTNeoForSequenceClassification",
        AutoModelForTokenClassification="GPTNeoForTokenClassification",
        AutoModelForQuestionAnswering="GPTNeoForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPT2Tokenizer",
)
