"""M2M-100 (https://arxiv.org/abs/2010.11125)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="m2m_100",
    config="zoo_text.m2m_100.config:M2M100Config",
    models=classes(
        "zoo_text.m2m_100.model",
        AutoModel="M2M100Model",
        AutoModelForSeq2SeqLM="M2M100ForConditionalGeneration",
        AutoModelWithLMHead="M2M100ForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.translation:M2M100Tokenizer",
)
