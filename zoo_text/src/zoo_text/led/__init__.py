"""LED (https://arxiv.org/abs/2004.05150, section 7)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="led",
    config="zoo_text.led.config:LEDConfig",
    models=classes(
        "zoo_text.led.model",
        AutoModel="LEDModel",
        AutoModelForSeq2SeqLM="LEDForConditionalGeneration",
        AutoModelWithLMHead="LEDForConditionalGeneration",
        AutoModelForSequenceClassification="LEDForSequenceClassification",
        AutoModelForQuestionAnswering="LEDForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:LEDTokenizer",
)
