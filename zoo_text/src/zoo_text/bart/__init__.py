"""BART (https://arxiv.org/abs/1910.13461)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="bart",
    config="zoo_text.bart.config:BartConfig",
    models=classes(
        "zoo_text.bart.model",
        AutoModel="BartModel",
        AutoModelForPreTraining="BartForConditionalGeneration",
        AutoModelForMaskedLM="BartForConditionalGeneration",
        AutoModelForSeq2SeqLM="BartForConditionalGeneration",
        AutoModelWithLMHead="BartForConditionalGeneration",
        AutoModelForCausalLM="BartForCausalLM",
        AutoModelForSequenceClassification="BartForSequenceClassification",
        AutoModelForQuestionAnswering="BartForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:BartTokenizer",
)
