"""XLM (https://arxiv.org/abs/1901.07291)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="xlm",
    config="zoo_text.xlm.config:XLMConfig",
    models=classes(
        "zoo_text.xlm.model",
        AutoModel="XLMModel",
        AutoModelForTextEncoding="XLMModel",
        AutoModelForPreTraining="XLMWithLMHeadModel",
        AutoModelForCausalLM="XLMWithLMHeadModel",
        AutoModelForMaskedLM="XLMWithLMHeadModel",
        AutoModelWithLMHead="XLMWithLMHeadModel",
        AutoModelForSequenceClassification="XLMForSequenceClassification",
        AutoModelForMultipleChoice="XLMForMultipleChoice",
        AutoModelForTokenClassification="XLMForTokenClassification",
        AutoModelForQuestionAnswering="XLMForQuestionAnsweringSimple",
    ),
    tokenizer="zoo_text.tokenizers.word_bpe:XLMTokenizer",
)
