"""StableLM (https://arxiv.org/abs/2402.17834)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="stablelm",
    config="zoo_text.stablelm.config:StableLmConfig",
    models=classes(
        "zoo_text.stablelm.model",
        AutoModel="StableLmModel",
        AutoModelForCausalLM="StableLmForCausalLM",
        AutoModelForSequenceClassification="StableLmForSequenceClassification",
        AutoModelForTokenClassification="StableLmForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
