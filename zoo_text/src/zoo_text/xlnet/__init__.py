"""XLNet (https://arxiv.org/abs/1906.08237)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="xlnet",
    config="zoo_text.xlnet.config:XLNetConfig",
    models=classes(
        "zoo_text.xlnet.model",
        AutoModel="XLNetModel",
        AutoModelForPreTraining="XLNetLMHeadModel",
        AutoModelForCausalLM="XLNetLMHeadModel",
        AutoModelWithLMHead="XLNetLMHeadModel",
        AutoModelForSequenceClassification="XLNetForSequenceClassification",
        AutoModelForMultipleChoice="XLNetForMultipleChoice",
        AutoModelForTokenClassification="XLNetForTokenClassification",
        AutoModelForQuestionAnswering="XLNetForQuestionAnsweringSimple",
    ),
    tokenizer="zoo_text.tokenizers.unigram:XLNetTokenizer",
)
