"""PLBART (https://arxiv.org/abs/2103.06333)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="plbart",
    config="zoo_text.plbart.config:PLBartConfig",
    models=classes(
        "zoo_text.plbart.model",
        AutoModel="PLBartModel",
        AutoModelForCausalLM="PLBartForCausalLM",
        AutoModelForSeq2SeqLM="PLBartForConditionalGeneration",
        AutoModelForSequenceClassification="PLBartForSequenceClassification",
        AutoModelWithLMHead="PLBartForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.multilingual:PLBartTokenizer",
)
