"""mT5 (https://arxiv.org/abs/2010.11934)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mt5",
    config="zoo_text.mt5.config:MT5Config",
    models=classes(
        "zoo_text.mt5.model",
        AutoModel="MT5Model",
        AutoModelForTextEncoding="MT5EncoderModel",
        AutoModelForPreTraining="MT5ForConditionalGeneration",
        AutoModelForSeq2SeqLM="MT5ForConditionalGeneration",
        AutoModelForSequenceClassification="MT5ForSequenceClassification",
        AutoModelForQuestionAnswering="MT5ForQuestionAnswering",
        AutoModelForTokenClassification="MT5ForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.unigram:MT5Tokenizer",
)
