"""LongT5 (https://arxiv.org/abs/2112.07916)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="longt5",
    config="zoo_text.longt5.config:LongT5Config",
    models=classes(
        "zoo_text.longt5.model",
        AutoModel="LongT5Model",
        AutoModelForTextEncoding="LongT5EncoderModel",
        AutoModelForSeq2SeqLM="LongT5ForConditionalGeneration",
        AutoModelWithLMHead="LongT5ForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.unigram:T5Tokenizer",
)
