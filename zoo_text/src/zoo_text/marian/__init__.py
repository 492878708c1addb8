"""Marian translation models (https://arxiv.org/abs/1804.00344)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="marian",
    config="zoo_text.marian.config:MarianConfig",
    models=classes(
        "zoo_text.marian.model",
        AutoModel="MarianModel",
        AutoModelForSeq2SeqLM="MarianMTModel",
        AutoModelWithLMHead="MarianMTModel",
        AutoModelForCausalLM="MarianForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.translation:MarianTokenizer",
)
