"""MVP (https://arxiv.org/abs/2206.12131)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mvp",
    config="zoo_text.mvp.config:MvpConfig",
    models=classes(
        "zoo_text.mvp.model",
        AutoModel="MvpModel",
        AutoModelForPreTraining="MvpForConditionalGeneration",
        AutoModelForMaskedLM="MvpForConditionalGeneration",
        AutoModelForSeq2SeqLM="MvpForConditionalGeneration",
        AutoModelWithLMHead="MvpForConditionalGeneration",
        AutoModelForCausalLM="MvpForCausalLM",
        AutoModelForSequenceClassification="MvpForSequenceClassification",
        AutoModelForQuestionAnswering="MvpForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:MvpTokenizer",
)
