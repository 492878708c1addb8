"""UMT5 (https://openreview.net/forum?id=kXwdL1cWOAi)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="umt5",
    config="zoo_text.umt5.config:UMT5Config",
    models=classes(
        "zoo_text.umt5.model",
        AutoModelForTextEncoding="UMT5EncoderModel",
        AutoModel="UMT5Model",
        AutoModelForSeq2SeqLM="UMT5ForConditionalGeneration",
        AutoModelForSequenceClassification="UMT5ForSequenceClassification",
        AutoModelForQuestionAnswering="UMT5ForQuestionAnswering",
        AutoModelForTokenClassification="UMT5ForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.unigram:T5Tokenizer",
)
