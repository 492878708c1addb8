"""GPT-NeoX (https://arxiv.org/abs/2204.06745)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gpt_neox",
    config="zoo_text.gpt_neox.config:GPTNeoXConfig",
    models=classes(
        "zoo_text.gpt_neox.model",
        AutoModel="GPTNeoXModel",
        AutoModelForCausalLM="GPTNeoXForCausalLM",
        AutoModelWithLMHead="GPTNeoXForCausalLM",
        AutoModelForSequenceClassification="GPTNeoXForSequenceClassification",
        AutoModelForTokenClassification="GPTNeoXForTokenClassification",
        AutoModelForQuestionAnswering="GPTNeoXForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
