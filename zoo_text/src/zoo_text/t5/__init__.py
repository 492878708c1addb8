"""T5 (https://arxiv.org/abs/1910.10683)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="t5",
    config="zoo_text.t5.config:T5Config",
    models=classes(
        "zoo_text.t5.model",
        AutoModel="T5Model",
        AutoModelForTextEncoding="T5EncoderModel",
        AutoModelForPreTraining="T5ForConditionalGeneration",
        AutoModelForSeq2SeqLM="T5ForConditionalGeneration",
        AutoModelWithLMHead="T5ForConditionalGeneration",
        AutoModelForSequenceClassification="T5ForSequenceClassification",
        AutoModelForQuestionAnswering="T5ForQuestionAnswering",
        AutoModelForTokenClassification="T5ForTokenClassification",
    ),
    tokenizer="zoo_text.tokenizers.unigram:T5Tokenizer",
)
