"""mBART (https://arxiv.org/abs/2001.08210)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mbart",
    config="zoo_text.mbart.config:MBartConfig",
    models=classes(
        "zoo_text.mbart.model",
        AutoModel="MBartModel",
        AutoModelForPreTraining="MBartForConditionalGeneration",
        AutoModelForMaskedLM="MBartForConditionalGeneration",
        AutoModelForSeq2SeqLM="MBartForConditionalGeneration",
        AutoModelForCausalLM="MBartForCausalLM",
        AutoModelForSequenceClassification="MBartForSequenceClassification",
        AutoModelForQuestionAnswering="MBartForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.multilingual:MBartTokenizer",
)
